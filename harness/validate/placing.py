"""Where the parts of a card's image go, and what the board that was asked for has no room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import PlacementError
from harness.hardware.placement import AUTO, assign_regions
from harness.runtimes.forms import FORMS
from harness.validate.card import Card
from harness.validate.options import Options

if TYPE_CHECKING:
    from harness.boards import Resolved
    from harness.compiler.emit.package import Package


def wanted_regions(card: Card, resolved: Resolved, options: Options) -> dict[str, str]:
    """Part of the image -> memory region: the card's entries for the board that runs, overridden by the options'.

    A model that runs at any address has its scratch in the arena.
    """
    board = resolved.runs_on
    wanted = {**card.placing(board.name, has_choice=board.placement is not None), **options.placement}
    if wanted.get("scratch") == AUTO and any(FORMS.get(form).movable for form in card.form):
        del wanted["scratch"]
    return wanted


def stand_in_notes(card: Card, resolved: Resolved, package: Package, options: Options) -> tuple[str, ...]:
    """A note where another board runs a model that the board asked for has no room for."""
    asked = resolved.asked
    if asked.name == resolved.runs_on.name:
        return ()
    from harness.build.fit import misfit

    wanted = {**card.placing(asked.name, has_choice=asked.placement is not None), **options.placement}
    named = {part: region for part, region in wanted.items() if region != AUTO}
    try:
        placement = assign_regions(asked, named)
    except PlacementError as error:
        return (f"{asked.name} itself: {error.message}",)
    over = misfit([package], asked, placement)
    return (f"{asked.name} itself has no room for it: {over}",) if over else ()
