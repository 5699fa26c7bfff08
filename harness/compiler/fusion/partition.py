"""Options that cover all layers in order, at the least price or with the smallest need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol, TypeAlias

from harness.compiler.choice import Choice
from harness.compiler.fusion import Stream

Made: TypeAlias = Choice | Stream


@dataclass(frozen=True, eq=False)
class Option:
    """A way to compute layers `first` to `last`.

    Attributes:
        need: bytes of arena needed while they run.
        time: expected time.
        choice: None for one that is only estimated: it needs as much, and takes as long, at least.
    """

    first: int
    last: int
    need: int
    time: float
    choice: Made | None

    @property
    def made(self) -> Made:
        """The choice, which must be there."""
        assert self.choice is not None
        return self.choice

    @property
    def drift(self) -> int:
        """Bytes that the output must keep before an input that it is written over."""
        if self.choice is None:
            return 0
        return sum(-min(overlap.nearest, 0) for overlap in self.choice.overlaps.values())


Price: TypeAlias = Callable[[Option], float]


class Estimated(Protocol):
    """Options beyond those for single layers, made when they are wanted."""

    def options(self) -> Iterable[Option]:
        """All of them, by estimate."""

    def resolved(self, option: Option) -> Sequence[Option]:
        """What an estimated option really is."""


class Partition:
    """Options by the layer at which they begin."""

    def __init__(self, single: Sequence[Sequence[Option]], more: Estimated | None = None) -> None:
        self._starting = [list(options) for options in single]
        self._more = more
        self._open = more is not None

    def starting(self, layer: int) -> list[Option]:
        """The options that begin at a layer."""
        self._complete()
        return self._starting[layer]

    def sizes(self) -> list[int]:
        """All needs, each once, from the smallest on."""
        self._complete()
        return sorted({option.need for options in self._starting for option in options})

    def cheapest(self, size: float, price: Price) -> list[Option]:
        """The cheapest cover of which no option needs more than `size`; of equal ones that which needs least."""
        return self._settled(lambda option, rest: (price(option) + rest[0], option.need + rest[1]), size)

    def least(self) -> int:
        """The smallest size for which there is a cover."""
        found = self._settled(lambda option, rest: (max(float(option.need), rest[0]), option.time + rest[1]), inf)
        return max((option.need for option in found), default=0)

    def _settled(self, join: Callable[[Option, tuple[float, float]], tuple[float, float]], size: float) -> list[Option]:
        """The best cover, once every option in it is more than an estimate."""
        self._complete()
        while True:
            found = self._best(join, size)
            estimated = [option for option in found if option.choice is None]
            if not estimated or self._more is None:
                return found
            for option in estimated:
                self._starting[option.first].remove(option)
                self._starting[option.first] += self._more.resolved(option)

    def _best(self, join: Callable[[Option, tuple[float, float]], tuple[float, float]], size: float) -> list[Option]:
        end = len(self._starting)
        price = [(inf, inf)] * end + [(0.0, 0.0)]
        taken: dict[int, Option] = {}
        for layer in reversed(range(end)):
            for option in self._starting[layer]:
                rest = price[option.last + 1]
                if option.need <= size and rest[0] < inf and join(option, rest) < price[layer]:
                    price[layer] = join(option, rest)
                    taken[layer] = option
        found: list[Option] = []
        layer = 0
        while layer < end:
            if layer not in taken:
                return []
            found.append(taken[layer])
            layer = found[-1].last + 1
        return found

    def _complete(self) -> None:
        if self._open and self._more is not None:
            self._open = False
            for option in self._more.options():
                self._starting[option.first].append(option)
