"""Which kernel computes which layer: as fast as the mode asks, in as little memory.

What a layer needs in the arena while it runs depends on its own kernel alone (harness/compiler/memory/peak.py). So the
fastest choice for an arena of a given size takes, layer by layer, the fastest kernel that needs no more; which size is
asked for is what the mode decides. The placement may need a little more than the largest need; then smaller sizes are
tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from harness.compiler.choice import Choice
from harness.compiler.cost.flash import Flash
from harness.compiler.fusion.groups import FusionGroups
from harness.compiler.fusion.partition import Option, Partition
from harness.compiler.goals import BALANCED_TIME, Goals
from harness.compiler.memory.arena import Placed, aligned, allocate
from harness.compiler.memory.lifetimes import Value, values_of
from harness.compiler.memory.peak import PeakMemory
from harness.errors import BudgetError
from harness.ir.aliases import Aliases
from harness.ir.graph import Graph

ATTEMPTS = 8
"""Arena sizes that are tried when the first placement needs more than it should."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Options that cover all layers in order, and where everything is then."""

    options: tuple[Option, ...]
    values: tuple[Value, ...]
    placed: Placed

    @cached_property
    def time(self) -> float:
        """Expected time of all layers."""
        return sum(option.time for option in self.options)

    @cached_property
    def flash(self) -> int:
        """Expected bytes of flash."""
        return Flash(option.made for option in self.options).total

    @property
    def arena(self) -> int:
        """Bytes of arena."""
        return self.placed.size


def select(
    graph: Graph, views: Aliases, layers: Sequence[Sequence[Choice]], goals: Goals, *, stream: bool = False
) -> Selection:
    """Chooses for every layer one of its choices, or a way to compute it together with those after it.

    `stream` computes as many layers together as can be, whatever the goals.

    Raises:
        BudgetError: nothing keeps the budgets.
    """
    selector = _Selector(graph, views, layers, goals)
    return selector.fewest() if stream else selector.best()


def _time(option: Option) -> float:
    return option.time


class _Selector:
    def __init__(self, graph: Graph, views: Aliases, layers: Sequence[Sequence[Choice]], goals: Goals) -> None:
        self._graph = graph
        self._views = views
        self._goals = goals
        needs = PeakMemory(graph, views, [choices[0].use for choices in layers])
        single = [
            [Option(i, i, needs.of(i, i, c.scratch, c.overlaps), c.time, c) for c in choices]
            for i, choices in enumerate(layers)
        ]
        self._singly = Partition(single)
        self._together = Partition(single, FusionGroups(graph, views, layers, needs))

    def best(self) -> Selection:
        """What the mode asks for, within the budgets."""
        found = self._by_mode()
        found = self._keeping_arena(found)
        return self._keeping_flash(found)

    def fewest(self) -> Selection:
        """As few layers as can be."""
        return self._placed(self._together.cheapest(inf, lambda option: 1.0))

    def _by_mode(self) -> Selection:
        mode = self._goals.optimize
        if mode == "flash":
            return self._placed(self._leanest(inf))
        fastest = self._placed(self._singly.cheapest(inf, _time))
        if mode == "time":
            return fastest
        if mode == "ram":
            return self._smallest(fastest)
        slowest = BALANCED_TIME * fastest.time
        found = self._near(self._singly, self._singly.least(), fastest, lambda s: s.time <= slowest)
        return self._relaxed(found, self._singly)

    def _smallest(self, start: Selection) -> Selection:
        """The smallest arena found, then as fast as it can be had."""
        singly = self._near(self._singly, self._singly.least(), start, lambda s: True)
        least = self._together.least()
        together = self._near(self._together, least, singly, lambda s: True)
        if together.arena > aligned(least):
            frugal = self._placed(self._together.cheapest(least, lambda o: float(o.need) * (o.last - o.first + 1)))
            together = min(together, frugal, key=_smaller)
            # how far outputs must keep from their inputs adds up from layer to layer
            together = self._near(self._together, least, together, lambda s: True, lambda o: o.drift + o.time / 1e12)
        return self._relaxed(self._improved(together, least), self._together)

    def _improved(self, selection: Selection, least: int) -> Selection:
        """Other options, one at a time, where the placement needs more than each layer by itself."""
        for index in range(len(selection.options)):
            if selection.arena <= aligned(least):
                break
            here = selection.options[index]
            for other in self._together.starting(here.first):
                if other.choice is None or other.last != here.last or other is here or other.need > selection.arena:
                    continue
                options = [*selection.options[:index], other, *selection.options[index + 1 :]]
                selection = min(selection, self._placed(options), key=_smaller)
        return selection

    def _near(
        self,
        covering: Partition,
        least: int,
        start: Selection,
        allowed: Callable[[Selection], bool],
        price: Callable[[Option], float] = _time,
    ) -> Selection:
        """The smallest arena among those of the cheapest options that need little more than `least`."""
        found = start
        for attempt, size in enumerate(size for size in covering.sizes() if size >= least):
            options = covering.cheapest(size, price)
            trial = self._placed(options) if options else start
            if allowed(trial):
                found = min(found, trial, key=_smaller)
                if trial.arena <= aligned(size):
                    break
            if attempt == ATTEMPTS:
                break
        return found

    def _relaxed(self, selection: Selection, covering: Partition) -> Selection:
        """Faster options where they cost no arena: the size is paid for anyway."""
        options = covering.cheapest(selection.arena, _time)
        return min(selection, self._placed(options), key=_smaller) if options else selection

    # --- budgets -----------------------------------------------------------------------------------------------------

    def _keeping_arena(self, found: Selection) -> Selection:
        limit = self._goals.max_arena
        if limit is None or found.arena <= limit:
            return found
        for covering in (self._singly, self._together):
            for size in reversed([size for size in covering.sizes() if size <= limit][-ATTEMPTS:]):
                options = covering.cheapest(size, _time)
                trial = self._placed(options) if options else found
                if trial.arena <= limit:
                    return trial
        smallest = self._smallest(found)
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
        node = worst.made.node
        names = ", ".join(f"'{self._graph.tensors[t].name}'" for t in node.outputs)
        return f"{node.op} of layer {worst.last}" + (f" into {names}" if names else "")

    def _leanest(self, size: float) -> list[Option]:
        """Few bytes of flash: each layer's own first, then functions are given up that others can stand in for."""
        chosen = self._singly.cheapest(size, lambda option: Flash([option.made]).total)
        while True:
            now = Flash(option.made for option in chosen)
            trials = []
            for function in now.functions:
                trial = self._without(function, chosen, size)
                if trial:
                    trials.append((Flash(option.made for option in trial).total, trial))
            best = min(trials, key=lambda item: item[0], default=(now.total, chosen))
            if best[0] >= now.total:
                return chosen
            chosen = best[1]

    def _without(self, function: str, chosen: Sequence[Option], size: float) -> list[Option]:
        """The same with every layer that calls `function` computed otherwise; none where that cannot be."""
        kept = Flash(o.made for o in chosen if function not in Flash([o.made]).functions)
        found = []
        for option in chosen:
            if function not in Flash([option.made]).functions:
                found.append(option)
                continue
            others = [
                o
                for o in self._singly.starting(option.first)
                if o.need <= size and function not in Flash([o.made]).functions
            ]
            if not others:
                return []
            found.append(min(others, key=lambda o: (kept.more(o.made), o.time)))
        return found

    def _placed(self, options: Sequence[Option]) -> Selection:
        values, overlaps = values_of(self._graph, [option.made.use for option in options], self._views)
        return Selection(tuple(options), tuple(values), allocate(values, overlaps))


def _smaller(selection: Selection) -> tuple[int, float]:
    return selection.arena, selection.time
