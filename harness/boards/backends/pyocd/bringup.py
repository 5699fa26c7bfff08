"""Bring-up checks of a board at a debug probe: probe, supply, connection, identity, flash and serial port."""

from __future__ import annotations

from harness.boards.backends.pyocd.probes import VIRTUAL_VARIABLE, board_at, choose_probe, is_installed, missing
from harness.boards.backends.pyocd.session import PyocdSession
from harness.boards.bringup_checks import BringUp, check_stream
from harness.build import build_image
from harness.errors import ProbeError, ProbeMissingError
from harness.hardware.board import Board

# STM32 datasheets: VDD is at least 1.62 to 1.71 V
LEAST_VOLTS = 1.6


def bring_up(checks: BringUp, board: Board, wanted: str | None) -> None:
    """Makes the checks image, probe, power, connect, chip, flash, port, uart and tick.

    Args:
        checks: of which `image` is next.
        board: expected at the probe.
        wanted: the probe, as given by --probe.

    Raises:
        TinyhilError: the next check of `checks` failed.
    """
    image = build_image([], board)
    checks.passed(f"build {image.build_id}")
    probe = choose_probe(board, wanted)
    if probe is None and not is_installed():
        raise missing()
    if probe is None:
        raise ProbeMissingError(
            f"no debug probe is attached for {board.name}",
            hint="plug in the USB connector of the board's ST-LINK; on Linux, are pyOCD's udev rules installed? "
            f"Without the board, {VIRTUAL_VARIABLE}={board.name} brings up its virtual one",
        )
    session = PyocdSession(board_at(probe, board), image)
    try:
        debugger = session.take_probe()
        checks.passed(f"{probe.description} {probe.unique_id}")
        checks.passed(_supply(debugger.supply()))
        debugger.connect()
        failed = "".join(f"; {mode} failed: {said}" for mode, said in debugger.attempts.items())
        checks.passed(f"{debugger.mode}{failed}")
        device = session.check_chip()
        checks.passed("boards.yaml names no `idcode`" if device is None else f"device number {device}")
        loaded = session.flash()
        rate = loaded.bytes_per_second
        done = f"{loaded.bytes:,} bytes"
        checks.passed(f"{done} were there" if rate is None else f"{done} at {rate / 1000:,.0f} kB/s, read back equal")
        device_name = session.port_device()
        session.reset()
        checks.passed(device_name)
        check_stream(checks, session, image)
    finally:
        session.close()


def _supply(volts: float | None) -> str:
    """The chip's supply voltage in words.

    Raises:
        ProbeError: it is too low for the chip.
    """
    if volts is None:
        return "the probe cannot measure it"
    if volts < LEAST_VOLTS:
        raise ProbeError(
            f"the chip has {volts:.2f} V", hint="is the board powered, and its supply jumper (JP5, IDD) in place?"
        )
    return f"{volts:.2f} V"
