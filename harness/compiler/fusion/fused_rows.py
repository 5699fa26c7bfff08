"""Fused rows: the calls that compute several layers a few rows at a time, their memory and their expected cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from harness.compiler.choice import KernelChoice
from harness.compiler.cost.estimate import step_cost
from harness.compiler.cost.model import Cost
from harness.compiler.fusion.repeats import merge_repeats
from harness.compiler.fusion.rows import input_rows, is_image_mean, row_bytes, slice_rows
from harness.compiler.fusion.schedule import ComputeRows, MoveRows, RowSchedule, schedule_rows
from harness.compiler.memory.arena import allocate
from harness.compiler.memory.lifetimes import MemoryUse, Value
from harness.compiler.memory.overlap import Overlap, overlap_of
from harness.compiler.plan import KernelUse, LayerCode
from harness.hardware.target import Target
from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import PoolAttrs
from harness.kernels.access_order import NEVER
from harness.kernels.base import Argument, At, Call, ConstantTable, In, Lowered, Out, Scratch
from harness.kernels.context import Context
from harness.quantization.params import mean_params

CALL = 40
"""Expected instructions of a call besides the kernel's own."""

MOVED_WORD = 2.5
"""Expected instructions to move a word of four bytes."""

ChooseKernel = Callable[[Node, "tuple[int, ...]", Callable[[], Context]], KernelChoice]
"""Chooses the kernel for some rows of a node, from the node, a key that equal parts share, and what makes the part."""


@dataclass(frozen=True, eq=False)
class FusedRows:
    """Nodes computed together, `rows` rows of the last one's output an iteration.

    Has the properties of a KernelChoice. Only the last node's output exists whole: of the tensors between the nodes a
    scratch buffer holds the rows that are still needed.

    Attributes:
        graph: that the nodes are of.
        nodes: in order, each but the last read by later ones alone.
        target: the core.
        rows: output rows of the last node an iteration; where it is a mean over the image, input rows.
        choose: the choice of kernels.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    target: Target
    rows: int
    choose: ChooseKernel

    @property
    def node(self) -> Node:
        """The node whose output is written."""
        return self.nodes[-1]

    @cached_property
    def _row_schedule(self) -> RowSchedule:
        return schedule_rows(self.graph, self.nodes, self.rows)

    @cached_property
    def _inner(self) -> frozenset[int]:
        return frozenset(node.outputs[0] for node in self.nodes[:-1])

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Tensors that are read from outside, constants left out."""
        read = (t for node in self.nodes for t in node.inputs if t != ABSENT and self.graph.tensors[t].data is None)
        return tuple(dict.fromkeys(t for t in read if t not in self._inner))

    @cached_property
    def _choices(self) -> dict[tuple[int, ...], KernelChoice | None]:
        """The kernel of each part, by its key; None where sums for a mean are computed."""
        found: dict[tuple[int, ...], KernelChoice | None] = {}
        for step in self._computes():
            key = self._part_key(step)
            if key not in found:
                node = self.nodes[step.number]
                total = is_image_mean(self.graph, node)
                found[key] = None if total else self.choose(node, key[1:], partial(self._part, step))
        return found

    def _part(self, step: ComputeRows) -> Context:
        graph, node = slice_rows(self.graph, self.nodes[step.number], step.first, step.end)
        return Context(graph, node, self.target)

    def _part_key(self, step: ComputeRows) -> tuple[int, ...]:
        """Equal for two parts that have the same shape: node, numbers of rows, and the place if there is padding."""
        node = self.nodes[step.number]
        (first, end), *_ = input_rows(self.graph, node, step.first, step.end).values()
        at_top = step.first if first == 0 else -1
        at_bottom = step.end if end == self.graph.tensors[node.inputs[0]].shape[1] else -1
        return step.number, step.end - step.first, end - first, at_top, at_bottom

    def _computes(self) -> Iterator[ComputeRows]:
        iterations = self._row_schedule.iterations
        return (step for iteration in iterations for step in iteration if isinstance(step, ComputeRows))

    # --- memory ------------------------------------------------------------------------------------------------------

    @cached_property
    def _layout(self) -> tuple[dict[object, int], int]:
        """The scratch buffer: offset in bytes of each row buffer, each node's scratch and the sums; and its size.

        Rows kept from one iteration to the next live throughout, others from their producer to their last consumer.
        """
        values: list[Value] = []
        keys: list[object] = []
        count = len(self.nodes)
        for number, node in enumerate(self.nodes):
            y = node.outputs[0]
            if y in self._inner:
                readers = [i for i, other in enumerate(self.nodes) if y in other.inputs]
                span = (0, count) if y in self._row_schedule.carried else (number, max(readers))
                size = self._row_schedule.buffer_rows[y] * row_bytes(self.graph.tensors[y])
                values.append(Value(f"rows of {y}", size, *span))
                keys.append(y)
            scratch = max((sum(c.scratch) for k, c in self._choices.items() if c and k[0] == number), default=0)
            if scratch:
                values.append(Value(f"scratch {number}", scratch, number, number))
                keys.append(("scratch", number))
            if is_image_mean(self.graph, node):
                values.append(Value("sums", 4 * self.graph.tensors[node.inputs[0]].shape[3], 0, count))
                keys.append("sums")
        overlaps = {
            (keys.index(y), keys.index(x)): overlap
            for (y, x), overlap in self._inner_overlaps().items()
            if y in keys and x in keys
        }
        placed = allocate(values, overlaps, trials=40, nodes=0)
        return dict(zip(keys, placed.offsets, strict=True)), placed.size

    @property
    def kernel_scratch(self) -> int:
        """Most bytes of scratch of one kernel."""
        return max((sum(choice.scratch) for choice in self._choices.values() if choice), default=0)

    def _inner_overlaps(self) -> dict[tuple[int, int], Overlap]:
        """(output, input) of nodes whose row buffers may share bytes: neither is kept for the next iteration."""
        carried, found = self._row_schedule.carried, dict[tuple[int, int], Overlap]()
        for number, node in enumerate(self.nodes[:-1]):
            y = node.outputs[0]
            for x in set(node.inputs) & self._inner:
                last = max(i for i, other in enumerate(self.nodes) if x in other.inputs)
                if carried & {x, y} or last != number or not self._at_fronts(number, x, y):
                    continue
                each = [c.overlaps.get((y, x)) for k, c in self._choices.items() if c and k[0] == number]
                known = [overlap for overlap in each if overlap is not None]
                if known and len(known) == len(each):
                    combined = known[0]
                    for overlap in known[1:]:
                        combined = combined.both(overlap)
                    found[y, x] = combined
        return found

    def _at_fronts(self, number: int, x: int, y: int) -> bool:
        """Whether node `number` always reads and writes from the first row of its row buffers on."""
        node = self.nodes[number]
        return all(
            step.first == step.buffer_starts[y]
            and input_rows(self.graph, node, step.first, step.end)[x][0] == step.buffer_starts[x]
            for step in self._computes()
            if step.number == number
        )

    @property
    def scratch(self) -> tuple[int, ...]:
        """Bytes of rows, sums and kernels' scratch, in one buffer."""
        return (self._layout[1],) if self._layout[1] else ()

    @cached_property
    def overlaps(self) -> dict[tuple[int, int], Overlap]:
        """(the output, an input) -> how they may share bytes, from the order in which rows are read and written."""
        y = self.node.outputs[0]
        reads = {x: np.full(self.graph.tensors[x].bytes, NEVER, np.int32) for x in self.inputs}
        writes = np.full(self.graph.tensors[y].bytes, np.iinfo(np.int32).max, np.int32)
        clock = 0
        for step in self._computes():
            node, choice = self.nodes[step.number], self._choices[self._part_key(step)]
            order = choice.kernel.access_order(choice.context) if choice else None
            final = step.number == len(self.nodes) - 1
            own = order if final else None
            after = int(own.writes.max()) + 1 if own else int(final)
            for position, x in enumerate(node.inputs):
                if x in reads:
                    first, end = input_rows(self.graph, node, step.first, step.end)[x]
                    size = row_bytes(self.graph.tensors[x])
                    seen = reads[x][first * size : end * size]
                    # without a declared order the last node may still read when it has written all
                    when = own.reads[position] if own and position in own.reads else np.int32(after)
                    np.maximum(seen, np.where(np.asarray(when) < 0, NEVER, clock + when), out=seen)
            if final and choice:
                size = row_bytes(self.graph.tensors[y])
                writes[step.first * size : step.end * size] = clock + (own.writes if own else 0)
            clock += 1 + after
        np.minimum(writes, clock, out=writes)  # a mean is written at the end
        return {(y, x): overlap_of(steps, writes) for x, steps in reads.items()}

    @property
    def step(self) -> LayerCode:
        """The code of the layers, for the plan."""
        times = Counter(map(self._part_key, self._computes()))
        parts = tuple(KernelUse(c.kernel, c.context, times[kind]) for kind, c in self._choices.items() if c)
        return LayerCode(self.nodes, parts, self.inputs, self.lowered, self._overhead)

    @property
    def memory_use(self) -> MemoryUse:
        """The memory that the layers read, write and need."""
        return MemoryUse(self.inputs, self.node.outputs, self.scratch, self.overlaps)

    # --- time and code -----------------------------------------------------------------------------------------------

    @cached_property
    def _overhead(self) -> float:
        """Expected instructions between the kernels."""
        moved = sum(
            move.rows * row_bytes(self.graph.tensors[move.tensor])
            for iteration in self._row_schedule.iterations
            for move in iteration
            if isinstance(move, MoveRows)
        )
        return CALL * sum(len(iteration) for iteration in self._row_schedule.iterations) + MOVED_WORD * moved / 4

    @cached_property
    def cost(self) -> Cost:
        """The expected cost of all calls, and of moving rows."""
        return step_cost(self.step)

    @property
    def time(self) -> float:
        """Expected modelled cycles."""
        return self.cost.cycles

    @cached_property
    def lowered(self) -> Lowered:
        """The calls of all iterations; equal iterations with evenly moving pointers are a loop."""
        kernels = dict.fromkeys(c.lowered.kernel for c in self._choices.values() if c)
        names = [*kernels, *(["image_sums_portable"] if is_image_mean(self.graph, self.node) else [])]
        calls, repeats = merge_repeats(self.iterations())
        return Lowered("+".join(names), calls, sum(self.scratch), repeats)

    def iterations(self) -> list[list[Call]]:
        """The calls of every iteration; those of a mean end with its division."""
        iterations = [list(self._calls(iteration)) for iteration in self._row_schedule.iterations]
        return [*iterations, [self._mean()]] if is_image_mean(self.graph, self.node) else iterations

    def _calls(self, iteration: Sequence[MoveRows | ComputeRows]) -> Iterator[Call]:
        for step in iteration:
            if isinstance(step, MoveRows):
                size = row_bytes(self.graph.tensors[step.tensor])
                buffer = self._layout[0][step.tensor]
                source = At(None, buffer + step.start * size, "uint8_t")
                target = At(None, buffer, "uint8_t")
                yield Call("move_portable", (source, target), {"bytes": step.rows * size})
                continue
            choice = self._choices[self._part_key(step)]
            if choice is None:
                yield self._sums(step)
                continue
            for number, call in enumerate(choice.lowered.calls):
                assert isinstance(call, Call)
                arguments = tuple(self._argument(step, choice, number, a) for a in call.arguments)
                yield replace(call, arguments=arguments)

    def _argument(self, step: ComputeRows, choice: KernelChoice, number: int, argument: Argument) -> Argument:
        node = self.nodes[step.number]
        if isinstance(argument, Scratch):
            return At(None, self._layout[0]["scratch", step.number], argument.ctype)
        if isinstance(argument, ConstantTable):
            return replace(argument, name=f"{step.number}_{number}_{argument.name}")
        if isinstance(argument, Out):
            return self._rows(step, node.outputs[argument.index], step.first, argument.ctype)
        if isinstance(argument, In):
            x = node.inputs[argument.index]
            first = input_rows(self.graph, node, step.first, step.end)[x][0]
            return self._rows(step, x, first, argument.ctype)
        return argument

    def _rows(self, step: ComputeRows, tensor: int, first: int, ctype: str) -> At:
        """Pointer to row `first` of a tensor, in its row buffer if it has one."""
        size = row_bytes(self.graph.tensors[tensor])
        if tensor not in self._inner:
            return At(tensor, first * size, ctype)
        return At(None, self._layout[0][tensor] + (first - step.buffer_starts[tensor]) * size, ctype)

    def _sums(self, step: ComputeRows) -> Call:
        x = self.node.inputs[0]
        _, _, width, channels = self.graph.tensors[x].shape
        shape = {"pixels": width * (step.end - step.first), "channels": channels, "first": int(step.first == 0)}
        sums = At(None, self._layout[0]["sums"], "int32_t")
        return Call("image_sums_portable", (self._rows(step, x, step.first, "int8_t"), sums), shape)

    def _mean(self) -> Call:
        x, y = self.graph.tensors[self.node.inputs[0]], self.graph.tensors[self.node.outputs[0]]
        arguments = (At(None, self._layout[0]["sums"], "int32_t"), At(self.node.outputs[0], 0, "int8_t"))
        attrs, count = self.node.attrs, x.shape[1] * x.shape[2]
        shape = {"channels": x.shape[3]}
        if isinstance(attrs, MeanAttrs):
            factor = mean_params(x, y, count)
            shape |= {"zero_sum": x.q.zero_point * count, "multiplier": factor.m, "shift": factor.shift}
            return Call("image_mean_portable", arguments, shape | {"out_zero": y.q.zero_point})
        assert isinstance(attrs, PoolAttrs)
        shape |= {"count": count, "clamp_min": attrs.clamp[0], "clamp_max": attrs.clamp[1]}
        return Call("image_average_portable", arguments, shape)
