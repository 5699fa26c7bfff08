"""Bring-up: the way from a probe to ticks, one rung after the other, and the first that breaks.

Each rung needs those below it. An image without models is built, flashed and asked who it is, so that nothing here
depends on a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BoardError, ProbeError, ProbeMissingError, TinyhilError

if TYPE_CHECKING:
    from harness.boards.session import Session
    from harness.build.image import Image
    from harness.hardware.board import Board
    from harness.link.records import DeviceInfo

# STM32 datasheets: VDD is at least 1.62 to 1.71 V
LEAST_VOLTS = 1.6
HELLO_TIMEOUT_S = 5.0
PROBE_RUNGS = ("image", "probe", "power", "connect", "chip", "flash", "port", "uart", "tick")
EMULATED_RUNGS = ("image", "start", "uart", "tick")


@dataclass(frozen=True)
class BringUpCheck:
    """One rung.

    Attributes:
        name: one of PROBE_RUNGS or EMULATED_RUNGS.
        ok: whether it holds; None where it was not reached.
        detail: what was found, or the error.
        hint: what to try; "" when it holds.
        code: the error's code; "" when it holds.
    """

    name: str
    ok: bool | None
    detail: str = ""
    hint: str = ""
    code: str = ""


class _Climb:
    """Rungs so far."""

    def __init__(self, names: tuple[str, ...], tell: Callable[[str], None]) -> None:
        self.names = names
        self.done: list[BringUpCheck] = []
        self._tell = tell
        tell(names[0])

    def ok(self, detail: str) -> None:
        """The present rung holds."""
        self.done.append(BringUpCheck(self.names[len(self.done)], True, detail))
        if len(self.done) < len(self.names):
            self._tell(self.names[len(self.done)])

    def broken(self, error: TinyhilError) -> None:
        """The present rung does not."""
        detail = "\n".join(filter(None, (error.message, error.details)))
        self.done.append(BringUpCheck(self.names[len(self.done)], False, detail, error.hint, error.code))

    def rungs(self) -> tuple[BringUpCheck, ...]:
        """All of them."""
        return (*self.done, *(BringUpCheck(name, None) for name in self.names[len(self.done) :]))


def bring_up(
    name: str, *, probe: str | None = None, tell: Callable[[str], None] | None = None
) -> tuple[BringUpCheck, ...]:
    """Climb the ladder of a board.

    Args:
        name: of the board.
        probe: the debug probe's unique id, see harness.boards.backends.pyocd.probes.wanted_probe.
        tell: called with each rung's name before it is tried.

    Raises:
        BoardConfigError: no board has that name.
    """
    from harness.boards import find_board

    asked = find_board(name)
    through_probe = asked.backend == "pyocd"
    steps = _Climb(PROBE_RUNGS if through_probe else EMULATED_RUNGS, tell or (lambda rung: None))
    try:
        if through_probe:
            _climb_probe(steps, asked, probe)
        else:
            _climb_emulated(steps, name)
    except TinyhilError as error:
        steps.broken(error)
    return steps.rungs()


def _climb_probe(steps: _Climb, board: Board, given: str | None) -> None:
    from harness.boards import resolve
    from harness.boards.backends.pyocd.probes import VIRTUAL_VARIABLE, choose_probe
    from harness.boards.backends.pyocd.session import PyocdSession
    from harness.build import build_image

    image = build_image([], board)
    steps.ok(f"build {image.build_id}")
    probe = choose_probe(board, given)
    if probe is None:
        raise ProbeMissingError(
            f"no debug probe is attached for {board.name}",
            hint="plug in the USB connector of the board's ST-LINK; on Linux, are pyOCD's udev rules installed? "
            f"Without the board, {VIRTUAL_VARIABLE}={board.name} climbs its virtual one",
        )
    session = PyocdSession(resolve(board.name, probe=probe.unique_id), image)
    try:
        debugger = session.take_probe()
        steps.ok(f"{probe.description} {probe.unique_id}")
        volts = debugger.supply()
        if volts is not None and volts < LEAST_VOLTS:
            raise ProbeError(
                f"the chip has {volts:.2f} V", hint="is the board powered, and its supply jumper (JP5, IDD) in place?"
            )
        steps.ok("the probe cannot measure it" if volts is None else f"{volts:.2f} V")
        debugger.connect()
        failed = "".join(f"; {mode} failed: {said}" for mode, said in debugger.attempts.items())
        steps.ok(f"{debugger.mode}{failed}")
        device = session.check_chip()
        steps.ok("boards.yaml names no `idcode`" if device is None else f"device number 0x{device:03x}")
        loaded = session.flash()
        rate = loaded.bytes_per_second
        done = f"{loaded.bytes:,} bytes"
        steps.ok(f"{done} were there" if rate is None else f"{done} at {rate / 1000:,.0f} kB/s, read back equal")
        device_name = session.port_device()
        session.reset()
        steps.ok(device_name)
        _talk(steps, session, image)
    finally:
        session.close()


def _climb_emulated(steps: _Climb, name: str) -> None:
    from harness.boards import open_session, resolve
    from harness.build import build_image

    resolved = resolve(name)
    image = build_image([], resolved.runs_on)
    steps.ok(f"build {image.build_id}")
    with open_session(resolved, image) as session:
        steps.ok(resolved.reason or f"{resolved.runs_on.backend} {resolved.runs_on.machine or ''}".strip())
        _talk(steps, session, image)


def _talk(steps: _Climb, session: Session, image: Image) -> None:
    """The rungs above a stream that is open."""
    from harness.link.client import Client

    with _explained(session):
        client = Client(session.stream(), timeout_s=HELLO_TIMEOUT_S, elf=image.elf)
        device = client.hello(image.build_id, image.board)
        before = session.baud
        session.raise_baud(client)
    rate = "" if before is None else f", {before:,} baud"
    if session.baud != before:
        rate += f" raised to {session.baud:,}"
    steps.ok(f"{device.board}, {device.core}, {device.clock_hz / 1e6:g} MHz{rate}")
    steps.ok(_ticks(device))


def _ticks(device: DeviceInfo) -> str:
    if not device.ticks_run:
        raise BoardError(
            "the tick counter stands still",
            hint="DWT CYCCNT needs DEMCR.TRCENA and, on a Cortex-M7, its lock open; see the port's ticks.c",
        )
    told = f"{device.tick_hz / 1e6:g} MHz"
    if device.loop_instructions:
        told += f"; {device.loop_ticks:,} ticks for a loop of {device.loop_instructions:,} instructions"
    return told


@contextmanager
def _explained(session: Session) -> Iterator[None]:
    """Let the session say what it knows of an error, as on its way out of a `with`."""
    try:
        yield
    except TinyhilError as error:
        session.__exit__(type(error), error, error.__traceback__)
        raise
