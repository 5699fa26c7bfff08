"""The arena of a network of shapes: what is alive at each layer, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from harness.compiler.memory.arena import ArenaBlocks, aligned, place
from harness.compiler.memory.chronology import Exclusion, placed_within, steps_again
from harness.compiler.memory.lifetimes import ALIGNMENT
from harness.fit.choosing import Picks
from harness.fit.kinds import LayerForm, LayerKernels
from harness.fit.shapes import NetworkShape

_NONE, _FIRST = (), (0,)


class OtherFormError(Exception):
    """A network whose values live as no chain or residual block's do."""


class ShapeArena:
    """The arena of one network.

    Value 0 is the input, value i + 1 what layer i writes; in time a layer's output comes before its scratch.

    Attributes:
        net: the network.
        forms: by layer, its kernels and what they need.
        alive: by layer, bytes of the values that are alive then.
        sizes: of the values in bytes.
    """

    def __init__(self, net: NetworkShape, kinds: Sequence[LayerKernels]) -> None:
        """Raises OtherFormError."""
        self.net = net
        self.sizes = [prod(net.shape), *[layer.size for layer, _ in net.layers]]
        self._last = last = _last_reads(net)
        self.forms: list[LayerForm] = []
        self.alive: list[int] = []
        now = self.sizes[0]
        for number, (kind, (_, reads)) in enumerate(zip(kinds, net.layers, strict=True)):
            if len(reads) == 1:
                dying: tuple[int, ...] = _FIRST if last[reads[0]] == number else _NONE
            else:
                dying = tuple([i for i, value in enumerate(reads) if last[value] == number])
            now += self.sizes[number + 1]
            self.alive.append(now)
            self.forms.append(kind.form(dying))
            for i in dying:
                now -= self.sizes[reads[i]]
        self._arenas: dict[Picks, int] = {}
        self._layouts: dict[Picks, tuple[int, Mapping[int, int]]] = {}

    def arena_of(self, picks: Picks) -> int:
        """Bytes of the arena of a choice, as allocate() finds it."""
        found = self._arenas.get(picks)
        if found is None:
            found = self._arenas[picks] = self._arena_of(picks)
        return found

    def in_place(self, picks: Picks) -> list[bool]:
        """By layer, whether its output lies over what it reads with more than half of itself."""
        (_, offsets), sizes, found = self._layout(picks), self.sizes, []
        for number, (_, reads) in enumerate(self.net.layers):
            start, size = offsets[number + 1], sizes[number + 1]
            shared = 0
            for value in reads:
                other = offsets[value]
                shared += max(0, min(start + size, other + sizes[value]) - max(start, other))
            found.append(2 * shared > size)
        return found

    def _bound(self, picks: Picks) -> int:
        rows = zip(self.alive, self.forms, picks, strict=True)
        return max([self.sizes[0], *[alive + form.peaks[i] for alive, form, i in rows]])

    def _arena_of(self, picks: Picks) -> int:
        """The bound, where any layout meets it and all that do are of one size; else that of allocate()'s layout."""
        bound = self._bound(picks)
        blocks = self._in_time(picks)
        whole = aligned(bound)
        if whole == bound or not any([size % ALIGNMENT for size in blocks.sizes]):
            aligns = [ALIGNMENT] * len(blocks.sizes)
            if placed_within(whole, blocks.sizes, aligns, blocks.before, steps_again(len(aligns))) is not None:
                return whole
        return self._layout(picks)[0]

    def _layout(self, picks: Picks) -> tuple[int, Mapping[int, int]]:
        """Bytes of arena and offset by value, as allocate() finds them."""
        found = self._layouts.get(picks)
        if found is None:
            blocks = self._in_time(picks).in_order_of_values()
            offsets = place(blocks, self._bound(picks))
            found = self._layouts[picks] = (blocks.extent(offsets), offsets)
        return found

    def _in_time(self, picks: Picks) -> _BlocksInTime:
        sizes, last, layers = self.sizes, self._last, self.net.layers
        made = _BlocksInTime([sizes[0]], [[]], [(-1, last[0])], [])
        places = [0]  # by value, its place in time
        alive = [0]
        for number, (form, pick) in enumerate(zip(self.forms, picks, strict=True)):
            kernel, out = form.kernels[pick], number + 1
            reads, size = layers[number][1], sizes[out]
            gaps = {reads[i]: kernel.gaps[i] for i in form.dying}
            found: list[Exclusion] = []
            for value in alive:
                place_of = places[value]
                if value in gaps:
                    found += [(place_of, low, high) for low, high in gaps[value]]
                else:
                    found.append((place_of, -size, sizes[value]))
            places.append(len(made.sizes))
            made.add(size, found, (number, last[out]))
            alive.append(out)
            beside = [(places[value], sizes[value]) for value in alive] if kernel.scratch else []
            for scratch in kernel.scratch:
                here = len(made.sizes)
                made.scratch.append(here)
                made.add(scratch, [(other, -scratch, taken) for other, taken in beside], (number, number))
                beside.append((here, scratch))
            if form.dying or last[out] <= number:
                alive = [value for value in alive if last[value] > number]
        return made


def _last_reads(net: NetworkShape) -> list[int]:
    """By value, the layer that reads it last; the number of layers for the network's output."""
    count = len(net.layers)
    last = [-1] * (count + 1)
    for number, (_, reads) in enumerate(net.layers):
        for value in reads:
            last[value] = number
        if len(reads) > 1 and len(set(reads)) < len(reads):
            raise OtherFormError
    last[count] = count
    if min(last) < 0:
        raise OtherFormError
    return last


@dataclass(eq=False)
class _BlocksInTime:
    """What lies in the arena in order of time: the input, then by layer its output and its scratch.

    Attributes:
        sizes: in bytes.
        before: what each excludes of those before it.
        lives: the first and the last layer during which each is kept.
        scratch: places of the scratch among them.
    """

    sizes: list[int]
    before: list[list[Exclusion]]
    lives: list[tuple[int, int]]
    scratch: list[int]

    def add(self, size: int, before: list[Exclusion], life: tuple[int, int]) -> None:
        """Appends one."""
        self.sizes.append(size)
        self.before.append(before)
        self.lives.append(life)

    def in_order_of_values(self) -> ArenaBlocks:
        """As the compiler has them: values in time, then scratch."""
        apart = set(self.scratch)
        order = [*[i for i in range(len(self.sizes)) if i not in apart], *self.scratch]
        number = {i: block for block, i in enumerate(order)}
        excluded: list[dict[int, list[tuple[int, int]]]] = [{} for _ in order]
        for i, exclusions in enumerate(self.before):
            for other, low, high in exclusions:
                excluded[number[i]].setdefault(number[other], []).append((low, high))
                excluded[number[other]].setdefault(number[i], []).insert(0, (-high, -low))
        sizes, lives = [self.sizes[i] for i in order], [self.lives[i] for i in order]
        return ArenaBlocks(sizes, [ALIGNMENT] * len(sizes), lives, excluded)
