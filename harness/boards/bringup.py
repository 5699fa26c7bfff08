"""Bring-up of a board: checks from the image to its ticks, one after the other, up to the first that fails.

An image without models is built, flashed and asked who it is, so that nothing here depends on a model.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.boards.bringup_checks import BringUp, BringUpCheck, check_stream
from harness.errors import TinyhilError


def bring_up(
    name: str, *, probe: str | None = None, tell: Callable[[str], None] | None = None
) -> tuple[BringUpCheck, ...]:
    """Make the bring-up checks of a board.

    Args:
        name: of the board.
        probe: the debug probe's unique id, see harness.boards.backends.pyocd.probes.wanted_probe.
        tell: called with each check's name before it is made.

    Raises:
        BoardConfigError: no board has that name.
    """
    from harness.boards import find_board
    from harness.boards.backends import find_backend

    asked = find_board(name)
    backend = find_backend(asked.backend)
    checks = BringUp(backend.bring_up_checks, tell or (lambda check: None))
    try:
        if not backend.bring_up(checks, asked, probe):
            _start(checks, name)
    except TinyhilError as error:
        checks.failed(error)
    return checks.checks()


def _start(checks: BringUp, name: str) -> None:
    """The checks of a board that needs no more than to be started."""
    from harness.boards import open_session, resolve
    from harness.build import build_image

    resolved = resolve(name)
    image = build_image([], resolved.runs_on)
    checks.passed(f"build {image.build_id}")
    with open_session(resolved, image) as session:
        checks.passed(resolved.reason or f"{resolved.runs_on.backend} {resolved.runs_on.machine or ''}".strip())
        check_stream(checks, session, image)
