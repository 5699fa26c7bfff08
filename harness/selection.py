"""Which kernel computes which layer: as fast as the mode asks, in as little memory.

What a layer needs in the arena while it runs depends on its own kernel alone (harness/needs.py). So the fastest choice
for an arena of a given size takes, layer by layer, the fastest kernel that needs no more; which size is asked for is
what the mode decides. The placement may need a little more than the largest need; then smaller sizes are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from harness.choice import Choice
from harness.errors import BudgetError
from harness.flash import Flash
from harness.goals import BALANCED_TIME, Goals
from harness.graph import Graph
from harness.lifetimes import Value, values_of
from harness.needs import Needs
from harness.planner import Placed, aligned, place
from harness.views import Views

ATTEMPTS = 8
"""Arena sizes that are tried when the first placement needs more than it should."""


@dataclass(frozen=True, eq=False)
class Option:
    """A way to compute layers `first` to `last`, and the bytes of arena needed while they run."""

    first: int
    last: int
    choice: Choice
    need: int


@dataclass(frozen=True, eq=False)
class Selection:
    """Options that cover all layers in order, and where everything is then."""

    options: tuple[Option, ...]
    values: tuple[Value, ...]
    placed: Placed

    @cached_property
    def time(self) -> float:
        """Expected time of all layers."""
        return sum(option.choice.time for option in self.options)

    @cached_property
    def flash(self) -> int:
        """Expected bytes of flash."""
        return Flash(option.choice for option in self.options).total

    @property
    def arena(self) -> int:
        """Bytes of arena."""
        return self.placed.size


def select(graph: Graph, views: Views, layers: Sequence[Sequence[Choice]], goals: Goals) -> Selection:
    """Chooses for every layer one of its choices.

    Raises:
        BudgetError: none keeps the budgets.
    """
    return _Selector(graph, views, layers, goals).best()


class _Selector:
    def __init__(self, graph: Graph, views: Views, layers: Sequence[Sequence[Choice]], goals: Goals) -> None:
        self._graph = graph
        self._views = views
        self._goals = goals
        needs = Needs(graph, views, [choices[0].use for choices in layers])
        self._options = [
            [Option(i, i, c, needs.of(i, i, c.scratch, c.overlaps)) for c in choices]
            for i, choices in enumerate(layers)
        ]
        self._sizes = sorted({option.need for options in self._options for option in options})

    def best(self) -> Selection:
        """What the mode asks for, within the budgets."""
        found = self._by_mode()
        found = self._keeping_arena(found)
        return self._keeping_flash(found)

    def _by_mode(self) -> Selection:
        mode = self._goals.optimize
        fastest = self._placed(self._fastest(inf))
        if mode == "time":
            return fastest
        if mode == "flash":
            return self._placed(self._leanest(inf))
        least = max((min(o.need for o in options) for options in self._options), default=0)
        slowest = inf if mode == "ram" else BALANCED_TIME * fastest.time
        sizes = [size for size in self._sizes if size >= least]
        tried = [fastest]
        for size in sizes:
            options = self._fastest(size)
            if _time(options) <= slowest:
                tried.append(self._placed(options))
                if tried[-1].arena <= aligned(size) or len(tried) > ATTEMPTS:
                    break
        best = min(tried, key=lambda s: (s.arena, s.time))
        if mode == "ram" and best.arena > least:
            best = min(best, self._placed(self._smallest()), key=lambda s: (s.arena, s.time))
        return self._relaxed(best)

    def _relaxed(self, selection: Selection) -> Selection:
        """Faster options where they cost no arena: the size is paid for anyway."""
        faster = self._placed(self._fastest(selection.arena))
        return faster if (faster.arena, faster.time) <= (selection.arena, selection.time) else selection

    # --- budgets -----------------------------------------------------------------------------------------------------

    def _keeping_arena(self, found: Selection) -> Selection:
        limit = self._goals.max_arena
        if limit is None or found.arena <= limit:
            return found
        smallest = found
        for size in reversed([size for size in self._sizes if size <= limit][-ATTEMPTS:]):
            options = self._fastest(size)
            if not options:
                break
            trial = self._placed(options)
            if trial.arena <= limit:
                return trial
            smallest = min(smallest, trial, key=lambda s: s.arena)
        smallest = min(smallest, self._placed(self._smallest()), key=lambda s: s.arena)
        if smallest.arena <= limit:
            return smallest
        over = smallest.arena - limit
        raise BudgetError(
            f"{self._graph.name}: the smallest arena found is {smallest.arena:,} bytes, {over:,} over the budget of "
            f"{limit:,}",
            hint=f"largest at {self._worst(smallest)}; give more, or take a model with smaller tensors there",
        )

    def _keeping_flash(self, found: Selection) -> Selection:
        limit = self._goals.max_flash
        if limit is None or found.flash <= limit:
            return found
        arena = self._goals.max_arena or inf
        lean = self._placed(self._leanest(min(arena, found.arena)))
        lean = lean if lean.arena <= arena else self._placed(self._leanest(inf))
        if lean.flash <= limit and lean.arena <= arena:
            return lean
        both = f" in an arena of {self._goals.max_arena:,}" if self._goals.max_arena else ""
        raise BudgetError(
            f"{self._graph.name}: weights, tables and code take {lean.flash:,} bytes of flash at least{both}, "
            f"{lean.flash - limit:,} over the budget of {limit:,}",
            hint="give a larger --max-flash, or a model with fewer weights",
        )

    def _worst(self, selection: Selection) -> str:
        worst = max(selection.options, key=lambda option: option.need)
        node = worst.choice.context.node
        names = ", ".join(f"'{self._graph.tensors[t].name}'" for t in node.outputs)
        return f"{node.op} of layer {worst.first}" + (f" into {names}" if names else "")

    # --- choices for an arena of a size ------------------------------------------------------------------------------

    def _fastest(self, size: float) -> list[Option]:
        """The fastest options that need no more than `size`; none where a layer needs more."""
        return self._cover(size, lambda option: option.choice.time)

    def _smallest(self) -> list[Option]:
        """The least that every layer can do with."""
        return self._cover(inf, lambda option: float(option.need))

    def _cover(self, size: float, price: Callable[[Option], float]) -> list[Option]:
        """The cheapest options of which every one needs no more than `size`; of equal ones those that need least."""
        found = []
        for options in self._options:
            fitting = [option for option in options if option.need <= size]
            if not fitting:
                return []
            found.append(min(fitting, key=lambda option: (price(option), option.need)))
        return found

    def _leanest(self, size: float) -> list[Option]:
        """Few bytes of flash: each layer's own first, then functions are given up that others can stand in for."""
        chosen = self._cover(size, lambda option: Flash([option.choice]).total)
        while True:
            now = Flash(option.choice for option in chosen)
            trials = []
            for function in now.functions:
                trial = self._without(function, chosen, size)
                if trial:
                    trials.append((Flash(option.choice for option in trial).total, trial))
            best = min(trials, key=lambda item: item[0], default=(now.total, chosen))
            if best[0] >= now.total:
                return chosen
            chosen = best[1]

    def _without(self, function: str, chosen: Sequence[Option], size: float) -> list[Option]:
        """The same with every layer that calls `function` computed otherwise; none where that cannot be."""
        kept = Flash(o.choice for o in chosen if function not in Flash([o.choice]).functions)
        found = []
        for option, options in zip(chosen, self._options, strict=True):
            if function not in Flash([option.choice]).functions:
                found.append(option)
                continue
            others = [
                o for o in options if o.need <= size and function not in Flash([o.choice]).functions
            ]
            if not others:
                return []
            found.append(min(others, key=lambda o: (kept.more(o.choice), o.choice.time)))
        return found

    def _placed(self, options: Sequence[Option]) -> Selection:
        assert len(options) == len(self._options), "a layer has no option"
        values, overlaps = values_of(self._graph, [option.choice.use for option in options], self._views)
        return Selection(tuple(options), tuple(values), place(values, overlaps))


def _time(options: Iterable[Option]) -> float:
    return sum(option.choice.time for option in options)
