"""The arena of a network of shapes: what is alive at each layer, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from harness.compiler.memory.arena import ArenaBlocks, aligned, place
from harness.compiler.memory.chronology import Chronicle, Exclusion
from harness.compiler.memory.lifetimes import ALIGNMENT
from harness.fit.choosing import Picks
from harness.fit.kinds import LayerForm, LayerKernels
from harness.fit.shapes import NetworkShape

_NONE: tuple[int, ...] = ()
_NOTHING: list[Exclusion] = []


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
        self.sizes = sizes = [prod(net.shape), *[layer.size for layer, _ in net.layers]]
        self._last = last = _last_reads(net)
        self.forms: list[LayerForm] = []
        self.alive: list[int] = []
        self._beside: list[tuple[int, ...]] = []  # by layer, the values before it that its output may not lie over
        forms, alive, besides = self.forms, self.alive, self._beside
        beside, now = _NONE, sizes[0]
        for number, (kind, (_, reads)) in enumerate(zip(kinds, net.layers, strict=True)):
            now += sizes[number + 1]
            alive.append(now)
            if len(reads) == 1 and reads[0] == number == last[number]:
                forms.append(kind.chained)
                now -= sizes[number]
            else:
                forms.append(kind.form(tuple([i for i, value in enumerate(reads) if last[value] == number])))
                beside = tuple([value for value in (*beside, number) if last[value] > number])
                now = sum([sizes[value] for value in beside], sizes[number + 1])
            besides.append(beside)
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
        whole = aligned(bound)
        if (whole == bound or not self._uneven(picks)) and self._has_layout(picks, whole):
            return whole
        return self._layout(picks)[0]

    def _uneven(self, picks: Picks) -> bool:
        """Whether any size is no multiple of the alignment."""
        every = [size for form, i in zip(self.forms, picks, strict=True) for size in form.parts[i]]
        return any([size % ALIGNMENT for size in (self.sizes[0], *every)])

    def _has_layout(self, picks: Picks, limit: int) -> bool:
        """Whether chronology.py finds a layout: for the values that it keeps."""
        found = self._in_time(picks, limit)
        if not found.order:
            return True
        aligns = [ALIGNMENT] * len(found.sizes)
        return Chronicle(limit, found.order, found.sizes, aligns, found.before).placed()

    def _layout(self, picks: Picks) -> tuple[int, Mapping[int, int]]:
        """Bytes of arena and offset by value, as allocate() finds them."""
        found = self._layouts.get(picks)
        if found is None:
            blocks = self._in_time(picks, 0).blocks(self._last)
            offsets = place(blocks, self._bound(picks))
            found = self._layouts[picks] = (blocks.extent(offsets), offsets)
        return found

    def _in_time(self, picks: Picks, limit: int) -> _ValuesInTime:
        """The values and the scratch that chronology.py keeps within a limit: within 0, all."""
        forms, besides, layers = self.forms, self._beside, self.net.layers
        sizes, before = [*self.sizes], [_NOTHING] * len(self.sizes)
        kept: set[int] = set()
        owners: list[int] = []
        backwards: list[int] = []
        for number in range(len(picks) - 1, -1, -1):
            form, pick, beside, out = forms[number], picks[number], besides[number], number + 1
            rooms: Sequence[int] = form.rooms[pick]
            if beside:
                rooms = _with_others(rooms, form.parts[pick], [sizes[value] for value in beside])
            count = len(rooms)
            while count and rooms[count - 1] <= limit:
                count -= 1
            if not count and out not in kept:
                continue
            size, reads, gaps = sizes[out], layers[number][1], form.kernels[pick].gaps
            excluded = [(reads[i], low, high) for i in form.dying for low, high in gaps[i]]
            if beside:
                excluded += [(value, -size, sizes[value]) for value in beside]
            before[out] = excluded
            kept.update([other for other, _, _ in excluded])
            if count > 1:
                taken = [*beside, *[reads[i] for i in form.dying], out]
                kept.update(taken)
                for part in form.parts[pick][1:count]:
                    before.append([(other, -part, sizes[other]) for other in taken])
                    taken.append(len(sizes))
                    sizes.append(part)
                    owners.append(number)
                backwards += taken[: -count : -1]
            backwards.append(out)
        if 0 in kept or not limit:
            backwards.append(0)
        return _ValuesInTime(backwards[::-1], sizes, before, owners)


def _with_others(rooms: Sequence[int], parts: Sequence[int], others: Sequence[int]) -> list[int]:
    """Rooms that an output and its scratch need, where values of these sizes are kept as well."""
    return [
        needed + sum([aligned(size + other - 1) for other in others])
        for needed, size in zip(rooms, parts, strict=True)
    ]


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


class _ValuesInTime(NamedTuple):
    """What lies in the arena: values by their numbers, then scratch.

    Attributes:
        order: what is kept in order of time: the input, then by layer its output and its scratch.
        sizes: in bytes.
        before: what each that is kept excludes of those before it.
        owners: of scratch, the layer that needs it.
    """

    order: Sequence[int]
    sizes: Sequence[int]
    before: Sequence[Sequence[Exclusion]]
    owners: Sequence[int]

    def blocks(self, last: Sequence[int]) -> ArenaBlocks:
        """As the compiler has them, scratch in time too; `last` is the layer that reads each value last."""
        count = len(last)
        scratch = sorted(range(count, len(self.sizes)), key=lambda i: self.owners[i - count])
        order = [*range(count), *scratch]
        number = {i: block for block, i in enumerate(order)}
        excluded: list[dict[int, list[tuple[int, int]]]] = [{} for _ in order]
        for i, exclusions in enumerate(self.before):
            for other, low, high in exclusions:
                excluded[number[i]].setdefault(number[other], []).append((low, high))
                excluded[number[other]].setdefault(number[i], []).insert(0, (-high, -low))
        lives = [(value - 1, end) for value, end in enumerate(last)]
        lives += [(self.owners[i - count], self.owners[i - count]) for i in scratch]
        sizes = [self.sizes[i] for i in order]
        return ArenaBlocks(sizes, [ALIGNMENT] * len(sizes), lives, excluded)
