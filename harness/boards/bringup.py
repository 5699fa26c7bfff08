"""Bring-up of a board: checks from building an image to reading ticks, one after the other, up to the first failure.

The image has no models, so that nothing here depends on one.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.boards.bringup_checks import BringUp, BringUpCheck, check_stream
from harness.errors import TinyhilError


def bring_up(
    name: str, *, probe: str | None = None, tell: Callable[[str], None] | None = None
) -> tuple[BringUpCheck, ...]:
    """Makes the bring-up checks of a board; returns all of them, with those that were not made.

    Args:
        name: the board's name.
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
    """The checks of a board that only has to be started."""
    from harness.boards import open_session, resolve
    from harness.build import build_image

    resolved = resolve(name)
    image = build_image([], resolved.runs_on)
    checks.passed(f"build {image.build_id}")
    with open_session(resolved, image) as session:
        checks.passed(resolved.reason or f"{resolved.runs_on.backend} {resolved.runs_on.machine or ''}".strip())
        check_stream(checks, session, image)
