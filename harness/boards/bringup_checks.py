"""Bring-up checks of a board: each needs those before it, so the first failure ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BoardError, TinyhilError

if TYPE_CHECKING:
    from harness.boards.session import Session
    from harness.build.image import Image
    from harness.link.records import DeviceInfo

HELLO_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class BringUpCheck:
    """One check.

    Attributes:
        name: one of the backend's `bring_up_checks`.
        ok: whether it passed; None if it was not made.
        detail: the result, or the error's message.
        hint: what to try; "" if it passed.
        code: the error's code; "" if it passed.
    """

    name: str
    ok: bool | None
    detail: str = ""
    hint: str = ""
    code: str = ""


class BringUp:
    """Records the checks of one board as they are made."""

    def __init__(self, names: tuple[str, ...], tell: Callable[[str], None]) -> None:
        """Begins the first check.

        Args:
            names: of all checks, in order.
            tell: called with each check's name before it is made.
        """
        self._names = names
        self._made: list[BringUpCheck] = []
        self._tell = tell
        tell(names[0])

    def passed(self, detail: str) -> None:
        """Records that the current check passed, and begins the next."""
        self._made.append(BringUpCheck(self._names[len(self._made)], True, detail))
        if len(self._made) < len(self._names):
            self._tell(self._names[len(self._made)])

    def failed(self, error: TinyhilError) -> None:
        """Records that the current check failed."""
        detail = "\n".join(filter(None, (error.message, error.details)))
        self._made.append(BringUpCheck(self._names[len(self._made)], False, detail, error.hint, error.code))

    def checks(self) -> tuple[BringUpCheck, ...]:
        """All checks, with those that were not made."""
        return (*self._made, *(BringUpCheck(name, None) for name in self._names[len(self._made) :]))


def check_stream(checks: BringUp, session: Session, image: Image) -> None:
    """Makes the last two checks: the firmware answers HELLO, and its tick counter runs.

    Args:
        checks: of which `uart` is next, then `tick`.
        session: with its stream open; finds the cause of an error.
        image: the image that runs.

    Raises:
        LinkError: the firmware does not answer as it should.
        BoardError: the counter does not count.
    """
    from harness.link.client import Client

    with _explained(session):
        client = Client(session.stream(), timeout_s=HELLO_TIMEOUT_S, elf=image.elf)
        device = client.hello(image.build_id, image.board)
        before = session.baud
        session.raise_baud(client)
    rate = "" if before is None else f", {before:,} baud"
    if session.baud != before:
        rate += f" raised to {session.baud:,}"
    checks.passed(f"{device.board}, {device.core}, {device.clock_hz / 1e6:g} MHz{rate}")
    checks.passed(_ticks(device))


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
    """Lets the session find the cause of an error in the block, as at the end of its `with` block."""
    try:
        yield
    except TinyhilError as error:
        session.__exit__(type(error), error, error.__traceback__)
        raise
