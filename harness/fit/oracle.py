"""Arena, flash and modelled cycles of a network from its shapes alone, as the compiler would need them for its weights.

Arena and bytes of weights and tables are those of compile_graph, modelled cycles those of its estimate, for weights
whose scales are those of with_lines (harness/fit/lines.py): the same allocator lays out the same sizes. A network of
other forms (a value that is read twice by one layer, or by none) is compiled as a whole, with random weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.goals import Goals, Mode
from harness.compiler.memory.arena import ArenaBlocks, place
from harness.compiler.memory.lifetimes import ALIGNMENT
from harness.errors import OptionError
from harness.fit.choosing import QUICK, Chooser, Picks
from harness.fit.kinds import Code, KindKernel, LayerKernels, kind_of
from harness.fit.lines import with_lines
from harness.fit.shapes import LayerShape, NetworkShape, graph_of
from harness.hardware.target import Target


@dataclass(frozen=True, eq=False)
class Needs:
    """What a network takes.

    Attributes:
        arena: bytes.
        constants: bytes of weights and tables.
        code: estimated bytes of code.
        cycles: modelled.
        macs: multiply-accumulates.
        by_layer: modelled cycles of each layer.
        peaks: by layer, bytes of arena while it runs.
        weights: by layer, bytes of weights and tables.
    """

    arena: int
    constants: int
    code: int
    cycles: float
    macs: int
    by_layer: tuple[float, ...]
    peaks: tuple[int, ...]
    weights: tuple[int, ...]

    @property
    def flash(self) -> int:
        """Bytes of weights, tables and code."""
        return self.constants + self.code


class _OtherFormError(Exception):
    """A network whose values live as no chain or residual block's do."""


class ShapeOracle:
    """What networks take on a target, compiled for a mode; layers of one shape are costed once.

    Attributes:
        compiled: networks that took the whole compiler.
        measured: all networks.
    """

    def __init__(self, target: Target, mode: Mode = "balanced") -> None:
        """Raises OptionError for a mode that fuses layers, of which shapes alone do not tell."""
        if mode not in QUICK:
            raise OptionError(f"networks of shapes are not costed for '{mode}'", hint=f"one of: {', '.join(QUICK)}")
        self.target = target
        self.mode: Mode = mode
        self.compiled = self.measured = 0
        self._kinds: dict[LayerShape, LayerKernels] = {}

    def needs(self, net: NetworkShape) -> Needs:
        """What a network takes.

        Raises:
            CompileError: a layer has no kernel.
        """
        self.measured += 1
        kinds = [self._kinds.get(layer) or self._kind(layer) for layer, _ in net.layers]
        if all([kind.kernels for kind in kinds]) and kinds:
            try:
                return self._quick(net, kinds)
            except _OtherFormError:
                pass
        self.compiled += 1
        return self._whole(net)

    def _kind(self, layer: LayerShape) -> LayerKernels:
        found = self._kinds[layer] = kind_of(layer, self.target)
        return found

    def _quick(self, net: NetworkShape, kinds: Sequence[LayerKernels]) -> Needs:
        memory = _ArenaOfShapes(net, kinds)
        chooser = Chooser([kind.kernels for kind in kinds], memory.peaks, memory.arena_of, self.target.ram)
        picks = chooser.choose(self.mode)
        arena, offsets = memory.layout(picks)
        kernels = [kind.kernels[i] for kind, i in zip(kinds, picks, strict=True)]
        by_layer = _cycles(net, kernels, offsets, memory.sizes)
        weights = tuple([kernel.constants for kernel in kernels])
        peaks = tuple([peaks[i] for peaks, i in zip(memory.peaks, picks, strict=True)])
        return Needs(
            max(arena, 1), sum(weights), _code(kernels), sum(by_layer), net.macs, tuple(by_layer), peaks, weights
        )

    def _whole(self, net: NetworkShape) -> Needs:
        plan = compile_graph(with_lines(graph_of(net)), core=self.target, goals=Goals(self.mode))
        by_layer = tuple(cost.cycles for cost in estimate_costs(plan))
        estimate = FlashEstimate(plan.steps)
        weights = tuple(FlashEstimate([step]).total - FlashEstimate([step]).code for step in plan.steps)
        peaks = tuple(
            max((p.offset + p.size for p in plan.placements if p.first <= layer.index <= p.last), default=0)
            for layer in plan.layers
        )
        constants = estimate.total - estimate.code
        return Needs(
            plan.arena_size, constants, estimate.code, sum(by_layer), plan.macs, by_layer, peaks, weights
        )


def _code(kernels: Sequence[KindKernel]) -> int:
    """Estimated bytes of code; no two layers are taken to share the numbers of a call."""
    functions: dict[str, int] = {}
    own = 0
    for kernel in kernels:
        functions.update(kernel.functions)
        own += kernel.own_code
    return own + sum(functions.values())


def _cycles(
    net: NetworkShape, kernels: Sequence[KindKernel], offsets: Mapping[int, int], sizes: Sequence[int]
) -> list[float]:
    """Modelled cycles by layer, as estimate_costs counts them: with the code that is cached, and outputs in place."""
    cached: Code = frozenset()
    found = []
    for number, (kernel, (_, reads)) in enumerate(zip(kernels, net.layers, strict=True)):
        start, size = offsets[number + 1], sizes[number + 1]
        shared = 0
        for value in reads:
            other = offsets[value]
            shared += max(0, min(start + size, other + sizes[value]) - max(start, other))
        cycles, cached = kernel.cycles(cached, 2 * shared > size)
        found.append(cycles)
    return found


class _ArenaOfShapes:
    """The arena of one network: its values, the peaks of its layers' kernels, and first fit.

    Value 0 is the input, value i + 1 what layer i writes; a kernel's scratch comes after all of them.
    """

    def __init__(self, net: NetworkShape, kinds: Sequence[LayerKernels]) -> None:
        layers = net.layers
        count = len(layers)
        self._net, self._kinds = net, kinds
        self.sizes = [prod(net.shape), *[layer.size for layer, _ in layers]]
        last = [-1] * (count + 1)
        for number, (_, reads) in enumerate(layers):
            for value in reads:
                last[value] = number
        last[count] = count
        if min(last) < 0 or any([len(reads) > 1 and len(set(reads)) < len(reads) for _, reads in layers]):
            raise _OtherFormError
        self._last = last
        begun = [0] * (count + 2)
        for value, size in enumerate(self.sizes):
            begun[max(value - 1, 0)] += size
            begun[min(last[value], count) + 1] -= size
        self._alive = list(accumulate(begun))
        self._dying = [
            [position for position, value in enumerate(reads) if last[value] == number]
            for number, (_, reads) in enumerate(layers)
        ]
        self.peaks = [self._peaks(number) for number in range(count)]
        self._laid_out: dict[Picks, tuple[int, Mapping[int, int]]] = {}

    def _peaks(self, number: int) -> list[int]:
        alive, dying, size = self._alive[number], self._dying[number], self.sizes[number + 1]
        return [
            alive + kernel.scratch_bytes - min(sum([kernel.saved[i] for i in dying]), size)
            for kernel in self._kinds[number].kernels
        ]

    def arena_of(self, picks: Picks) -> int:
        """The arena of a choice."""
        return self.layout(picks)[0]

    def layout(self, picks: Picks) -> tuple[int, Mapping[int, int]]:
        """Bytes of arena, and the offset of each value, as allocate() finds them."""
        if picks not in self._laid_out:
            self._laid_out[picks] = self._place(picks)
        return self._laid_out[picks]

    def _place(self, picks: Picks) -> tuple[int, Mapping[int, int]]:
        sizes, lives, excluded = self._excluded(picks)
        blocks = ArenaBlocks(sizes, [ALIGNMENT] * len(sizes), lives, excluded)
        bound = max(self.sizes[0], *[peaks[i] for peaks, i in zip(self.peaks, picks, strict=True)])
        offsets = place(blocks, bound)
        return blocks.extent(offsets), offsets

    def _excluded(
        self, picks: Picks
    ) -> tuple[list[int], list[tuple[int, int]], list[dict[int, tuple[tuple[int, int], ...]]]]:
        """Sizes and lives of all values, and by value another -> open intervals of its distance that are excluded."""
        sizes, last = list(self.sizes), self._last
        lives = [(value - 1, end) for value, end in enumerate(last)]
        found: list[dict[int, tuple[tuple[int, int], ...]]] = [{} for _ in sizes]
        alive = [0]
        for number, (kind, pick) in enumerate(zip(self._kinds, picks, strict=True)):
            kernel, out = kind.kernels[pick], number + 1
            reads, size = self._net.layers[number][1], sizes[out]
            gaps = {reads[i]: kernel.gaps[i] for i in self._dying[number]}
            for value in alive:
                spans = gaps.get(value, ((-size, sizes[value]),))
                found[out][value] = spans
                found[value][out] = tuple([(-high, -low) for low, high in spans])
            for scratch in kernel.scratch:
                here = len(sizes)
                sizes.append(scratch)
                lives.append((number, number))
                found.append({})
                for value in (*alive, out):
                    found[here][value] = ((-scratch, sizes[value]),)
                    found[value][here] = ((-sizes[value], scratch),)
            alive = [value for value in (*alive, out) if last[value] > number]
        return sizes, lives, found
