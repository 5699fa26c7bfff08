"""Modelled cycles of a compiled model on a board, layer by layer, without the board.

    prediction = predict(observable("nucleo-l4r5"), package, inputs)
    prediction.estimate.cycles, prediction.estimate.layers[0].causes
    prediction.recost(WhatIf(placement={"weights": "sram"})).estimate.cycles

The model runs once on an emulated board (harness/cycles/record.py); everything else is calculated from that run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cycles.board_tables import Setup, board_table, boards, setup
from harness.cycles.engine import CoreCosts, Estimate, estimate
from harness.cycles.profile import Misses, Profile
from harness.cycles.record import Recording, record
from harness.cycles.replay import simulate
from harness.errors import OptionError
from harness.hardware.placement import PARTS

if TYPE_CHECKING:
    from harness.boards import Board, Resolved
    from harness.build import Image, PackageSources
    from harness.build.progress import Progress
    from harness.compiler.plan import Plan
    from harness.hardware.board import Placement
    from harness.quantization.types import Array

_CLOCK = re.compile(r"([0-9]+(?:[._][0-9]+)*) *([kMG]?)(?:Hz)?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_KEYS = ("placement", "flash", "clock")


@dataclass(frozen=True)
class WhatIf:
    """Changes of a board whose cycles are modelled without running again.

    Attributes:
        placement: part of the image -> memory of the board.
        flash: name of a flash set-up in the board's table; None for no change.
        clock_hz: of the core; None for no change.
    """

    placement: Mapping[str, str] = field(default_factory=dict)
    flash: str | None = None
    clock_hz: int | None = None

    def __str__(self) -> str:
        parts = [f"{part} in {memory}" for part, memory in self.placement.items()]
        parts += [f"flash {self.flash}"] if self.flash else []
        parts += [f"{self.clock_hz / 1e6:g} MHz"] if self.clock_hz else []
        return ", ".join(parts) or "as it is"


def parse_what_if(text: str) -> WhatIf:
    """The changes of a `--what-if` option: KEY=VALUE, several joined by "+".

    Keys are placement (PART:MEMORY, several joined by ","), flash and clock (such as 80MHz).

    Raises:
        OptionError: the text has another form, or a key twice.
    """
    given: dict[str, str] = {}
    for item in text.split("+"):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if not equals or key not in _KEYS or not value:
            raise OptionError(
                f"what if '{item}'?", hint="say placement=PART:MEMORY, flash=NAME or clock=80MHz; join several by +"
            )
        if key in given:
            raise OptionError(f"what if '{text}': {key} is given twice", hint="give each key once; join by + or ,")
        given[key] = value
    placement: dict[str, str] = {}
    for item in given["placement"].split(",") if "placement" in given else ():
        part, colon, memory = (piece.strip() for piece in item.partition(":"))
        if not colon or not memory or part not in PARTS or part in placement:
            raise OptionError(
                f"what if placement '{item}'?", hint=f"say PART:MEMORY, each part once; parts: {', '.join(PARTS)}"
            )
        placement[part] = memory
    return WhatIf(placement, given.get("flash"), _clock(given["clock"]) if "clock" in given else None)


def _clock(text: str) -> int:
    match = _CLOCK.fullmatch(text)
    hertz = float(match[1].replace("_", "")) * _FACTORS[match[2].lower()] if match and match[1].count(".") < 2 else 0
    if not 1_000 <= hertz <= 10e9:
        raise OptionError(f"clock '{text}' is no frequency", hint="say it as 80MHz or 80_000_000")
    return round(hertz)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Modelled cycles of one inference.

    Attributes:
        plan: the compiled model.
        resolved: the board asked for, and the emulated one that was observed.
        image: that ran there.
        recording: the run.
        placement: part of the image -> memory that it is costed in; empty without a board table.
        setup: the board's set-up; None without a cycle table: then only the core is modelled, without memory stalls.
        estimate: the result.
        what_if: changes since the run.
        misses: of each layer in the set-up's caches; none without a set-up.
        costs: the core's cycles, kept for recost().
    """

    plan: Plan
    resolved: Resolved
    image: Image
    recording: Recording
    placement: Mapping[str, str]
    setup: Setup | None
    estimate: Estimate
    misses: tuple[Misses, ...]
    costs: CoreCosts
    what_if: WhatIf = WhatIf()

    @property
    def profile(self) -> Profile:
        """The profile of the run."""
        return self.recording.profile

    def recost(self, what_if: WhatIf, *, listed: bool = True) -> Prediction:
        """The prediction of the same run for a changed board; layers have their blocks of code if `listed`.

        Raises:
            OptionError: the board has no such memory or flash, does not run at that clock, or has no cycle table.
        """
        if self.setup is None:
            raise OptionError(
                f"{self.resolved.asked.name} has no cycle table that anything could change in",
                hint="boards with one: " + ", ".join(boards()),
            )
        if "scratch" in what_if.placement and not self.plan.scratch_apart:
            raise OptionError(
                f"scratch is part of the arena of {self.plan.name}", hint="--placement scratch=REGION puts it apart"
            )
        placement = {**self.placement, **what_if.placement}
        changed = setup(
            self.setup.table,
            placement,
            flash=what_if.flash or self.setup.flash,
            clock_hz=what_if.clock_hz or self.setup.clock_hz,
        )
        # A clock changes what a miss costs, not what is missed.
        same = placement == self.placement and changed.flash == self.setup.flash
        misses = self.misses if same else simulate(self.profile, changed.system)
        return replace(
            self,
            placement=placement,
            setup=changed,
            misses=misses,
            estimate=estimate(self.profile, changed, misses=misses, kept=self.costs, listed=listed),
            what_if=what_if,
        )


def predict(
    resolved: Resolved,
    package: PackageSources,
    inputs: Sequence[Array],
    *,
    placement: Placement | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Prediction:
    """Modelled cycles of a compiled model.

    Args:
        resolved: the result of harness.cycles.record.observable.
        package: the model, compiled for the board.
        inputs: an array for each input.
        placement: the regions of the image's parts on the board that was asked for, as
            harness.hardware.placement.assign_regions gives them; None for its own.
        cache_dir: the cache; None for $TINYHIL_CACHE or the user's.
        progress: see harness.build.progress.

    Raises:
        ProfileError: the board cannot be observed.
        TinyhilError: the model cannot be built or run there.
    """
    from harness.build import BuildOptions, build_image

    asked, runs_on = resolved.asked, resolved.runs_on
    placed = asked.placement if placement is None else placement
    own = BuildOptions(placement=placed if runs_on.name == asked.name else None)
    image = build_image([package], runs_on, own, cache_dir=cache_dir, progress=progress)
    if progress:
        progress("profile", 0, 0)
    recording = record(resolved, image, package, inputs, cache_dir=cache_dir)
    regions, costed = _set_up(asked, placed)
    costs = CoreCosts(recording.profile)
    misses = () if costed is None else simulate(recording.profile, costed.system)
    return Prediction(
        plan=package.plan,
        resolved=resolved,
        image=image,
        recording=recording,
        placement=regions,
        setup=costed,
        estimate=estimate(
            recording.profile, costed, core=asked.core if costed is None else None, misses=misses, kept=costs
        ),
        misses=misses,
        costs=costs,
    )


def _set_up(board: Board, placed: Placement | None) -> tuple[dict[str, str], Setup | None]:
    """(part of the image -> memory, the board's set-up); ({}, None) for a board without table or placement."""
    if placed is None or board.name not in boards():
        return {}, None
    return placed.parts, setup(board_table(board.name), placed.regions)
