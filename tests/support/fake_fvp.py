#!/usr/bin/env python3
"""Stands in for FVP_Corstone_SSE-300_Ethos-U55 in tests, over QEMU: what harness/boards/backends/fvp relies on.

As the FVP does, it says on standard output (a C program's: in blocks unless that is a terminal) where its first UART
listens, goes to the next port where one is taken, serves one client at a time without touching the bytes, takes any -C,
ends at --simlimit and at Ctrl-C, prints --stat's block then, and exits with status 0 whatever happened.

Environment of the tests:
    FAKE_FVP_LOG   file for what it was called with and the ids of its processes, as JSON
    FAKE_FVP_MODE  how it misbehaves: see MISBEHAVIOUR
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time

NAME = "FVP_MPS3_Corstone_SSE_300"
FIRST_PORT = 5000
MISBEHAVIOUR = {
    "license": "Error: license checkout of feature FVP_Corstone failed: no such license server (ARMLMD_LICENSE_FILE)",
    "library": "error while loading shared libraries: libpython3.9.so.1.0: cannot open shared object file",
    "parameter": "Error: parameter 'mps3_board.nothing' not found in the model",
    "dies": "terminate called after throwing an instance of 'std::bad_alloc'",
    "silent": "",  # never says where it listens
    "refuses": "",  # says a port where nothing listens
    "stubborn": "",  # takes no notice of Ctrl-C
    "vanishes": "",  # ends as soon as a client has sent something
}


def listen(port: int) -> socket.socket:
    """A listener at `port` or the first free one behind it."""
    while True:
        listener = socket.socket()
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            listener.close()
            port += 1
        else:
            return listener


def die_with_parent() -> None:
    """Between fork and exec of QEMU."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def start_qemu(elf: str, uart: int) -> subprocess.Popen[bytes]:
    command = ["qemu-system-arm", "-machine", "mps3-an547", "-display", "none", "-monitor", "none", "-kernel", elf]
    command += ["-icount", "shift=8", "-chardev", f"socket,id=link,fd={uart},server=on,wait=off"]
    return subprocess.Popen(
        [*command, "-serial", "chardev:link"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[uart],
        preexec_fn=die_with_parent,
    )


def record(facts: dict[str, object]) -> None:
    if log := os.environ.get("FAKE_FVP_LOG"):
        with open(f"{log}.part", "w", encoding="utf-8") as file:
            json.dump(facts, file)
        os.replace(f"{log}.part", log)


def statistics(started: float) -> None:
    wall = time.monotonic() - started
    times = os.times()
    print(f"\n--- {NAME} statistics: -------------------------------------")
    for what, text in (
        ("Simulated time", f"{wall:.6f}s"),
        ("User time", f"{times.user:.6f}s"),
        ("System time", f"{times.system:.6f}s"),
        ("Wall time", f"{wall:.6f}s"),
        ("Performance index", "1.00"),
        (f"{NAME}.cpu0", f"{4.0:6.2f} MIPS ({int(wall * 4e6):12d} Inst)"),
    ):
        print(f"{what:40}: {text}")
    print("-" * 79)


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-a", dest="application", required=True)
    parser.add_argument("-C", dest="parameters", action="append", default=[])
    parser.add_argument("--simlimit", type=float, default=None)
    parser.add_argument("--stat", action="store_true")
    parser.add_argument("-q", action="store_true")
    given = parser.parse_args()
    parameters = dict(text.partition("=")[::2] for text in given.parameters)
    mode = os.environ.get("FAKE_FVP_MODE", "")
    facts = {"argv": sys.argv[1:], "parameters": parameters, "pids": [os.getpid()]}
    record(facts)
    if MISBEHAVIOUR.get(mode):
        print(MISBEHAVIOUR[mode], file=sys.stderr)
        return
    if mode == "silent":
        time.sleep(60)
        return
    started = time.monotonic()
    stopped: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN if mode == "stubborn" else lambda number, frame: stopped.append(number))
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    listener = listen(int(parameters.get("mps3_board.telnetterminal0.start_port", FIRST_PORT)))
    port = listener.getsockname()[1]
    if mode == "refuses":
        listener.close()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))  # and never listens
        port = listener.getsockname()[1]
    print(f"telnetterminal0: Listening for serial connection on port {port}")
    print(f"telnetterminal1: Listening for serial connection on port {port + 1}")
    if mode == "refuses":
        time.sleep(60)
        return
    if mode == "vanishes":
        listener.accept()[0].recv(1)
        print("Segmentation fault", file=sys.stderr)
        return
    qemu = start_qemu(given.application, listener.fileno())
    listener.close()
    record({**facts, "pids": [os.getpid(), qemu.pid], "port": port})
    try:
        while not stopped and qemu.poll() is None:
            if given.simlimit is not None and time.monotonic() - started > given.simlimit:
                print("\nInfo: Simulation is stopping. Reason: Simulated time limit has been exceeded.")
                break
            time.sleep(0.02)
    finally:
        with contextlib.suppress(OSError):
            qemu.kill()
        qemu.wait()
    print("\nInfo: /OSCI/SystemC: Simulation stopped by user.")
    if given.stat:
        statistics(started)


if __name__ == "__main__":
    with contextlib.suppress(BaseException):
        main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(0)
