"""Arena, flash and modelled cycles of a network from its shapes alone, as the compiler would need them for its weights.

Arena and bytes of weights and tables are those of compile_graph, modelled cycles those of its estimate, for weights
whose scales are those of with_lines (harness/fit/lines.py): the same allocator lays out the same sizes. A network of
other forms (a value that is read twice by one layer, or by none) is compiled as a whole, with random weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from harness.compiler.compile import compile_graph
from harness.compiler.cost.estimate import estimate_costs
from harness.compiler.cost.flash import FlashEstimate
from harness.compiler.goals import Goals, Mode
from harness.errors import OptionError
from harness.fit.choosing import QUICK, Chooser
from harness.fit.kinds import Code, KindKernel, LayerKernels, kind_of
from harness.fit.lines import with_lines
from harness.fit.shape_arena import OtherFormError, ShapeArena
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
        self._functions: dict[frozenset[frozenset[tuple[str, int]]], int] = {}
        self._in_place_counts = target.arena is not None or target.scratch is not None

    def needs(self, net: NetworkShape) -> Needs:
        """What a network takes.

        Raises:
            CompileError: a layer has no kernel.
        """
        self.measured += 1
        kinds = [self._kinds.get(layer) or self._kind(layer) for layer, _ in net.layers]
        if all([kind.kernels for kind in kinds]) and kinds:
            try:
                return self._quick(ShapeArena(net, kinds))
            except OtherFormError:
                pass
        self.compiled += 1
        return self._whole(net)

    def _kind(self, layer: LayerShape) -> LayerKernels:
        found = self._kinds[layer] = kind_of(layer, self.target)
        return found

    def _quick(self, memory: ShapeArena) -> Needs:
        forms, alive = memory.forms, memory.alive
        picks = Chooser(forms, alive, memory.arena_of, self.target.ram).choose(self.mode)
        kernels = [form.kernels[i] for form, i in zip(forms, picks, strict=True)]
        by_layer = _cycles(kernels, memory.in_place(picks) if self._in_place_counts else repeat(False))
        weights = tuple([kernel.constants for kernel in kernels])
        peaks = tuple([now + form.peaks[i] for now, form, i in zip(alive, forms, picks, strict=True)])
        return Needs(
            max(memory.arena_of(picks), 1), sum(weights), self._code(kernels), sum(by_layer), memory.net.macs,
            by_layer, peaks, weights,
        )  # fmt: skip

    def _code(self, kernels: Sequence[KindKernel]) -> int:
        """Estimated bytes of code; no two layers are taken to share the numbers of a call."""
        called = frozenset([kernel.functions for kernel in kernels])
        if called not in self._functions:
            self._functions[called] = sum(dict(pair for functions in called for pair in functions).values())
        return self._functions[called] + sum([kernel.own_code for kernel in kernels])

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


def _cycles(kernels: Sequence[KindKernel], in_place: Iterable[bool]) -> tuple[float, ...]:
    """Modelled cycles by layer, as estimate_costs counts them: with the code that is cached, and outputs in place."""
    cached: Code = frozenset()
    found = []
    for kernel, over in zip(kernels, in_place, strict=False):
        cycles, cached = kernel.counted.get((cached, over)) or kernel.cycles(cached, over)
        found.append(cycles)
    return tuple(found)
