"""What each kernel of one layer costs, made once per shape and target: all that is left then is to add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from harness.compiler.choice import KernelChoice, choices
from harness.compiler.cost.flash import flash_parts
from harness.compiler.cost.model import cached_after, cost_of
from harness.compiler.memory.arena import max_shared
from harness.compiler.memory.overlap import Overlap
from harness.fit.lines import with_lines
from harness.fit.shapes import LayerShape, graph_of_layer
from harness.hardware.target import Target
from harness.ir.aliases import find_aliases
from harness.kernels.context import Context
from harness.passes import optimize

Code = frozenset[str]
"""Functions whose code is in the cache."""


@dataclass(eq=False)
class KindKernel:
    """A kernel of a layer of some shape.

    Attributes:
        choice: the compiler's record of it.
        time: expected modelled cycles, by which kernels are chosen.
        trades_ram: whether it buys time with scratch, see Kernel.
        scratch: bytes of each scratch buffer.
        saved: by input, most bytes of it that the output may lie over where it is read for the last time.
        gaps: by input, the open intervals of (offset of the output) - (offset of the input) that are excluded then.
    """

    choice: KernelChoice
    time: float
    trades_ram: bool
    scratch: tuple[int, ...]
    saved: tuple[int, ...]
    gaps: tuple[tuple[tuple[int, int], ...], ...]
    _counted: dict[tuple[Code, bool], tuple[float, Code]] = field(default_factory=dict)

    def cycles(self, cached: Code, in_place: bool) -> tuple[float, Code]:
        """Expected modelled cycles with this code in the cache, and what is in the cache then."""
        found = self._counted.get((cached, in_place))
        if found is None:
            kernel, context = self.choice.kernel, self.choice.context
            cost = cost_of(kernel, context, cached=cached, in_place=in_place)
            found = self._counted[cached, in_place] = (cost.cycles, cached_after(kernel, context, cached))
        return found

    @cached_property
    def constants(self) -> int:
        """Bytes of weights and tables."""
        return self.choice.constant_bytes

    @cached_property
    def scratch_bytes(self) -> int:
        """Bytes of all scratch buffers."""
        return sum(self.scratch)

    @cached_property
    def own_code(self) -> int:
        """Bytes of code that each layer has for itself; the shapes of calls, whose numbers are quantizations', too."""
        return sum(size for part, size in flash_parts(self.choice).items() if not isinstance(part, bytes | str))

    @cached_property
    def functions(self) -> Mapping[str, int]:
        """Bytes of the functions that layers share, by name."""
        return {part: size for part, size in flash_parts(self.choice).items() if isinstance(part, str)}


@dataclass(frozen=True, eq=False)
class LayerKernels:
    """A layer of some shape on a target: its kernels, fastest first; none where passes make several layers of it.

    Attributes:
        layer: the shape.
        kernels: all of them.
    """

    layer: LayerShape
    kernels: tuple[KindKernel, ...]


def kind_of(layer: LayerShape, target: Target) -> LayerKernels:
    """The kernels of a layer, as the compiler finds them for it."""
    graph = optimize(with_lines(graph_of_layer(layer)))
    elided = find_aliases(graph).elided
    nodes = [node for i, node in enumerate(graph.nodes) if i not in elided]
    if len(nodes) != 1:
        return LayerKernels(layer, ())
    found = tuple(_kernel(choice, graph.inputs) for choice in choices(Context(graph, nodes[0], target)))
    return LayerKernels(layer, found)


def _kernel(choice: KernelChoice, inputs: tuple[int, ...]) -> KindKernel:
    tensors, (output,) = choice.context.graph.tensors, choice.node.outputs
    size_out = tensors[output].bytes
    saved, gaps = [], []
    for x in inputs:
        size, overlap = tensors[x].bytes, choice.overlaps.get((output, x))
        saved.append(0 if overlap is None else max_shared(size_out, size, overlap))
        gaps.append(((-size_out, size),) if overlap is None else excluded(overlap, size_out, size))
    return KindKernel(choice, choice.time, choice.kernel.trades_ram, choice.scratch, tuple(saved), tuple(gaps))


def excluded(overlap: Overlap, size_out: int, size_in: int) -> tuple[tuple[int, int], ...]:
    """The open intervals of (offset of the output) - (offset of the input) that an overlap excludes."""
    ends = [max(overlap.below, -size_out), min(overlap.above, size_in)]
    if overlap.point is not None and ends[0] < overlap.point < ends[1]:
        ends.insert(1, overlap.point)
    return tuple((low, high) for low, high in zip(ends, ends[1:], strict=False) if high - low > 1)
