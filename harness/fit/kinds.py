"""What each kernel of one layer costs, made once per shape and target: all that is left then is to add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from harness.compiler.choice import KernelChoice, choices
from harness.compiler.cost.flash import flash_parts
from harness.compiler.cost.model import cached_after, cost_of
from harness.compiler.memory.arena import max_shared
from harness.compiler.memory.chronology import room
from harness.compiler.memory.lifetimes import ALIGNMENT
from harness.compiler.memory.overlap import Overlap
from harness.fit.lines import with_lines
from harness.fit.shapes import LayerShape, graph_of_layer
from harness.hardware.target import Target
from harness.ir.aliases import find_aliases
from harness.kernels.context import Context
from harness.passes import optimize

Code = frozenset[str]
"""Functions whose code is in the cache."""

_CODES: dict[Code, Code] = {}
"""Equal ones are one object, which is found in little time."""


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
        counted: what `cycles` told.
    """

    choice: KernelChoice
    time: float
    trades_ram: bool
    scratch: tuple[int, ...]
    saved: tuple[int, ...]
    gaps: tuple[tuple[tuple[int, int], ...], ...]
    counted: dict[tuple[Code, bool], tuple[float, Code]] = field(default_factory=dict)

    def cycles(self, cached: Code, in_place: bool) -> tuple[float, Code]:
        """Expected modelled cycles with this code in the cache, and what is in the cache then."""
        found = self.counted.get((cached, in_place))
        if found is None:
            kernel, context = self.choice.kernel, self.choice.context
            cost = cost_of(kernel, context, cached=cached, in_place=in_place)
            after = cached_after(kernel, context, cached)
            found = self.counted[cached, in_place] = (cost.cycles, _CODES.setdefault(after, after))
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
    def functions(self) -> frozenset[tuple[str, int]]:
        """The functions that layers share, and the bytes of each."""
        return frozenset((part, size) for part, size in flash_parts(self.choice).items() if isinstance(part, str))


@dataclass(frozen=True, eq=False)
class KernelSteps:
    """Kernels that are the fastest of those that need no more.

    Attributes:
        steps: (peak, kernel, cycles that it takes more than the first) of each, fastest first.
        peaks: of all kernels, those that are no step among them, ascending.
    """

    steps: tuple[tuple[int, int, float], ...]
    peaks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class LayerForm:
    """A layer's kernels where some of its inputs are read for the last time.

    Attributes:
        kernels: fastest first.
        dying: positions of these inputs.
        peaks: by kernel, bytes that it needs beyond those of the values that are alive.
        parts: by kernel, bytes of the output and of each scratch buffer.
        rooms: of each of these, bytes of an arena in which it always finds a place beside these inputs (chronology.py).
        all: of all kernels.
        frugal: of those that buy no time with scratch; where all do, of all.
        trades_ram: whether any of them buys time with scratch.
    """

    kernels: tuple[KindKernel, ...]
    dying: tuple[int, ...]
    peaks: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]
    rooms: tuple[tuple[int, ...], ...]
    all: KernelSteps
    frugal: KernelSteps
    trades_ram: bool


@dataclass(frozen=True, eq=False)
class LayerKernels:
    """A layer of some shape on a target: its kernels, fastest first; none where passes make several layers of it.

    Attributes:
        layer: the shape.
        kernels: all of them.
    """

    layer: LayerShape
    kernels: tuple[KindKernel, ...]
    _forms: dict[tuple[int, ...], LayerForm] = field(default_factory=dict)

    @cached_property
    def chained(self) -> LayerForm:
        """The kernels where the layer has one input, and reads it for the last time."""
        return self.form((0,))

    def form(self, dying: tuple[int, ...]) -> LayerForm:
        """The kernels where the inputs at these positions are read for the last time."""
        found = self._forms.get(dying)
        if found is None:
            found = self._forms[dying] = self._form(dying)
        return found

    def _form(self, dying: tuple[int, ...]) -> LayerForm:
        kernels, size = self.kernels, self.layer.size
        peaks = tuple(k.scratch_bytes - min(sum(k.saved[i] for i in dying), size) for k in kernels)
        parts = tuple((size, *k.scratch) for k in kernels)
        read = [prod(self.layer.inputs[i]) for i in dying]
        rooms = tuple(_rooms(parts[i], read, [k.gaps[j] for j in dying]) for i, k in enumerate(kernels))
        every = range(len(kernels))
        frugal = [i for i in every if not kernels[i].trades_ram]
        stairs, frugal_stairs = (_stairs(kernels, peaks, numbers) for numbers in (every, frugal or every))
        return LayerForm(kernels, dying, peaks, parts, rooms, stairs, frugal_stairs, len(frugal) < len(kernels))


def _rooms(parts: Sequence[int], read: Sequence[int], gaps: Sequence[Sequence[tuple[int, int]]]) -> tuple[int, ...]:
    output, *scratch = parts
    found = [room(output, ALIGNMENT, [high - low for spans in gaps for low, high in spans])]
    taken = [*read, output]
    for size in scratch:
        found.append(room(size, ALIGNMENT, [other + size for other in taken]))
        taken.append(size)
    return tuple(found)


def _stairs(kernels: Sequence[KindKernel], peaks: Sequence[int], numbers: Sequence[int]) -> KernelSteps:
    found: list[tuple[int, int, float]] = []
    for i in sorted(numbers, key=lambda i: (kernels[i].time, peaks[i], i)):
        if not found or peaks[i] < found[-1][0]:
            found.append((peaks[i], i, kernels[i].time - kernels[found[0][1] if found else i].time))
    return KernelSteps(tuple(found), tuple(sorted({peaks[i] for i in numbers})))


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
