"""`python -m harness.virtual BOARD [IMAGE]`: a virtual board on a serial port, until Ctrl-C or the end of stdin."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m harness.virtual", description=__doc__)
    parser.add_argument("board", help="name in boards.yaml, or of a chip")
    parser.add_argument("image", nargs="?", type=Path, help="ELF file to run; otherwise what is in flash")
    parser.add_argument("--flash", type=Path, help="file that keeps the flash's contents")
    parser.add_argument("--wire", action="store_true", help="be told what to do on stdin (harness/virtual/wire.py)")
    arguments = parser.parse_args()

    from harness.errors import TinyhilError

    try:
        return _serve(arguments)
    except TinyhilError as error:
        if arguments.wire:
            from harness.virtual import wire

            answer = wire.pack({"error": error.code, "text": error.message, "hint": error.hint})
            os.write(sys.stdout.fileno(), answer)
            return error.category.value
        print(f"{error}\n{error.hint}", file=sys.stderr)
        return error.category.value
    except KeyboardInterrupt:
        return 130


def _serve(arguments: argparse.Namespace) -> int:
    from harness.virtual import faults
    from harness.virtual.machine import Machine
    from harness.virtual.server import Server
    from harness.virtual.wiring import wired

    machine = Machine(*wired(arguments.board), flash_file=arguments.flash)
    injected = faults.Faults(machine)
    injected.add_all(os.environ.get(faults.VARIABLE, ""))
    if arguments.image is not None:
        machine.load(arguments.image)
    machine.reset(cause="power")
    if not arguments.wire:
        print(f"{machine.chip.name}: serial port {machine.uart_pty}", flush=True)
    Server(machine, injected, sys.stdin.fileno(), sys.stdout.fileno()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
