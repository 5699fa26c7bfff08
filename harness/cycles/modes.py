"""All modes of a board for one observed run: flash set-ups, clocks of wait states, memories for weights and arena.

modes(prediction) is a BoardMode each; nothing runs again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from harness.cycles.engine import Estimate
from harness.cycles.memory import Part
from harness.cycles.predict import Prediction, WhatIf
from harness.errors import OptionError, PlacementError
from harness.hardware.placement import assign_regions

if TYPE_CHECKING:
    from harness.build.progress import Progress

MOVED: tuple[Part, ...] = ("weights", "arena")
"""Parts of the image that are tried in every memory."""


@dataclass(frozen=True)
class BoardMode:
    """One mode of a board.

    Attributes:
        flash: set-up of the flash; clock_hz: of the core; wait_states: of the flash at that clock.
        placement: memory of each of MOVED.
        estimate: modelled cycles.
        own: whether it is the mode of the prediction that they were made from.
    """

    flash: str
    clock_hz: int
    wait_states: int
    placement: dict[str, str]
    estimate: Estimate
    own: bool


def modes(prediction: Prediction, progress: Progress | None = None) -> list[BoardMode]:
    """Every mode, by flash, placement and clock.

    A clock is the highest of each number of wait states, and the prediction's own. Parts larger than a memory are not
    tried there; whether all parts of an image fit together, only linking shows.

    Args:
        prediction: of any mode.
        progress: called with ("what-if", done, total).

    Raises:
        OptionError: the board has no cycle table.
    """
    if prediction.setup is None:
        raise OptionError(f"{prediction.resolved.asked.name} has no cycle table, so no modes", hint="`tinyhil boards`")
    table, found = prediction.setup.table, []
    clocks = sorted({prediction.setup.clock_hz, *_clocks(prediction)})
    tried = list(product(table.flash, _placements(prediction)))
    for done, (flash, placement) in enumerate(tried):
        if progress:
            progress("what-if", done, len(tried))
        placed = prediction.recost(WhatIf(placement, flash), listed=False)
        for clock in clocks:
            changed = placed.recost(WhatIf(clock_hz=clock), listed=False)
            same = changed.placement == prediction.placement and (flash, clock) == (
                prediction.setup.flash,
                prediction.setup.clock_hz,
            )
            found.append(BoardMode(flash, clock, table.waits(clock), placement, changed.estimate, same))
    return found


def _clocks(prediction: Prediction) -> Iterator[int]:
    """The highest clock for each number of wait states, up to the table's."""
    assert prediction.setup is not None
    table = prediction.setup.table
    for row in table.wait_states:
        yield min(row.up_to_hz, max(table.clock_hz, prediction.setup.clock_hz))


def _placements(prediction: Prediction) -> Iterator[dict[str, str]]:
    """Memories for weights and arena that can hold them."""
    assert prediction.setup is not None
    board = prediction.resolved.asked
    sizes = {part: sum(span.size for span in prediction.profile.spans if span.part == part) for part in MOVED}
    able: dict[str, list[str]] = {part: [] for part in MOVED}
    for part, name in product(MOVED, prediction.setup.system.memories):
        region = board.region(name)
        if region is None or region.size < sizes[part]:
            continue
        try:
            assign_regions(board, {part: name})
        except PlacementError:
            continue
        able[part].append(name)
    for names in product(*(able[part] for part in MOVED)):
        yield dict(zip(MOVED, names, strict=True))
