"""Fused rows: the calls that compute several layers a few rows at a time, their memory and their expected cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np

from harness.compiler.choice import KernelChoice
from harness.compiler.cost.model import BASES, Basis, Cost
from harness.compiler.fusion.repeats import merge_repeats
from harness.compiler.fusion.row_run import PartKey, RowRun
from harness.compiler.fusion.rows import row_bytes
from harness.compiler.fusion.schedule import ComputeRows, MoveRows
from harness.compiler.memory.arena import allocate
from harness.compiler.memory.lifetimes import MemoryUse, Value
from harness.compiler.memory.overlap import Overlap, overlap_of
from harness.compiler.plan import KernelUse, LayerCode
from harness.ir.graph import Graph, Node
from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import PoolAttrs
from harness.kernels.access_order import NEVER
from harness.kernels.base import Argument, At, Call, ConstantTable, In, Kernel, Lowered, Out, Scratch
from harness.quantization.params import mean_params


@dataclass(frozen=True, eq=False)
class FusedRows:
    """A run of nodes in rows, with its kernels.

    Has the properties of a KernelChoice. Only the last node's output exists whole: of the tensors between the nodes a
    scratch buffer holds the rows that are still needed.

    Attributes:
        run: the nodes, and how many rows an iteration.
        choices: the kernel of each part, by its key; None where sums for a mean are computed.
    """

    run: RowRun
    choices: Mapping[PartKey, KernelChoice | None]

    @property
    def graph(self) -> Graph:
        """The graph that the nodes are of."""
        return self.run.graph

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, in order."""
        return self.run.nodes

    @property
    def rows(self) -> int:
        """Rows an iteration."""
        return self.run.rows

    @property
    def node(self) -> Node:
        """The node whose output is written."""
        return self.nodes[-1]

    @cached_property
    def _chosen(self) -> tuple[tuple[tuple[PartKey, KernelChoice], ...], ...]:
        """By node, the kernels of its parts, sums for a mean left out."""
        found: list[list[tuple[PartKey, KernelChoice]]] = [[] for _ in self.nodes]
        for key, choice in self.choices.items():
            if choice:
                found[key[0]].append((key, choice))
        return tuple(map(tuple, found))

    # --- memory ------------------------------------------------------------------------------------------------------

    @cached_property
    def _layout(self) -> tuple[dict[object, int], int]:
        """The scratch buffer: offset in bytes of each row buffer, each node's scratch and the sums; and its size.

        Rows kept from one iteration to the next live throughout, others from their producer to their last consumer.
        """
        values: list[Value] = []
        keys: list[object] = []
        count, schedule = len(self.nodes), self.run.schedule
        for number, node in enumerate(self.run.in_rows):
            y = node.output
            if y in self.run.inner:
                span = (0, count) if y in schedule.carried else (number, max(self.run.readers[y]))
                values.append(Value(f"rows of {y}", self.run.buffer_bytes[y], *span))
                keys.append(y)
            scratch = max((sum(choice.scratch) for _, choice in self._chosen[number]), default=0)
            if scratch:
                values.append(Value(f"scratch {number}", scratch, number, number))
                keys.append(("scratch", number))
            if node.is_mean:
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
    def kernels(self) -> tuple[Kernel | None, ...]:
        """The kernel of each part."""
        return tuple(choice.kernel if choice else None for choice in self.choices.values())

    @cached_property
    def least_scratch(self) -> int:
        """Lower bound of the bytes of `scratch`: rows that are kept, and each node's scratch with half of its rows.

        Half, since where neither is kept an output may lie over its input.
        """
        own = (max((sum(choice.scratch) for _, choice in chosen), default=0) for chosen in self._chosen)
        return self.run.kept_bytes + max(map(sum, zip(own, self.run.passing_bytes, strict=True)))

    def _inner_overlaps(self) -> dict[tuple[int, int], Overlap]:
        """(output, input) of nodes whose row buffers may share bytes: neither is kept for the next iteration."""
        carried, found = self.run.schedule.carried, dict[tuple[int, int], Overlap]()
        for number, node in enumerate(self.run.in_rows[:-1]):
            y = node.output
            for x in set(node.inputs) & self.run.inner:
                last = max(self.run.readers[x])
                if carried & {x, y} or last != number or (number, x) not in self.run.at_fronts:
                    continue
                each = [choice.overlaps.get((y, x)) for _, choice in self._chosen[number]]
                known = [overlap for overlap in each if overlap is not None]
                if known and len(known) == len(each):
                    found[y, x] = reduce(Overlap.both, known)
        return found

    @property
    def scratch(self) -> tuple[int, ...]:
        """Bytes of rows, sums and kernels' scratch, in one buffer."""
        return (self._layout[1],) if self._layout[1] else ()

    @cached_property
    def overlaps(self) -> dict[tuple[int, int], Overlap]:
        """(the output, an input) -> how they may share bytes, from the order in which rows are read and written."""
        y = self.node.outputs[0]
        reads = {x: np.full(self.graph.tensors[x].bytes, NEVER, np.int32) for x in self.run.inputs}
        writes = np.full(self.graph.tensors[y].bytes, np.iinfo(np.int32).max, np.int32)
        clock, last = 0, len(self.nodes) - 1
        for step, key in self.run.parts:
            choice = self.choices[key]
            final = step.number == last
            own = choice.order if final and choice else None
            after = own.last + 1 if own else int(final)
            first, end = self.run.rows_read(step)
            for position, x in enumerate(self.nodes[step.number].inputs):
                if x in reads:
                    size = row_bytes(self.graph.tensors[x])
                    seen = reads[x][first * size : end * size]
                    # without a declared order the last node may still read when it has written all
                    when = own.reads[position] if own and position in own.reads else None
                    if when is None:
                        np.maximum(seen, clock + after, out=seen)
                    else:
                        np.maximum(seen, np.where(when < 0, NEVER, clock + when), out=seen)
            if final and choice:
                size = row_bytes(self.graph.tensors[y])
                writes[step.first * size : step.end * size] = clock + (own.writes if own else 0)
            clock += 1 + after
        np.minimum(writes, clock, out=writes)  # a mean is written at the end
        return {(y, x): overlap_of(steps, writes) for x, steps in reads.items()}

    @property
    def step(self) -> LayerCode:
        """The code of the layers, for the plan."""
        choices = ((key, choice) for key, choice in self.choices.items() if choice)
        parts = tuple(KernelUse(c.kernel, c.context, self.run.times[key]) for key, c in choices)
        return LayerCode(self.nodes, parts, self.run.inputs, self.lowered, self.run.overhead)

    @property
    def memory_use(self) -> MemoryUse:
        """The memory that the layers read, write and need."""
        return MemoryUse(self.run.inputs, self.node.outputs, self.scratch, self.overlaps)

    # --- time and code -----------------------------------------------------------------------------------------------

    @cached_property
    def cost(self) -> Cost:
        """The expected cost of all calls, and of moving rows."""
        instructions = self.run.overhead + sum(times * choice.cost.instructions for times, choice in self._timed)
        basis: Basis = max((choice.cost.basis for _, choice in self._timed), default="fitted", key=BASES.index)
        return Cost(instructions, self.time, sum(self.scratch), basis)

    @cached_property
    def _timed(self) -> list[tuple[int, KernelChoice]]:
        """How often each kernel runs."""
        return [(self.run.times[key], choice) for key, choice in self.choices.items() if choice]

    @cached_property
    def time(self) -> float:
        """Expected modelled cycles."""
        return self.run.overhead + sum(times * choice.time for times, choice in self._timed)

    @cached_property
    def lowered(self) -> Lowered:
        """The calls of all iterations; equal iterations with evenly moving pointers are a loop."""
        kernels = dict.fromkeys(c.lowered.kernel for c in self.choices.values() if c)
        names = [*kernels, *(["image_sums_portable"] if self.run.in_rows[-1].is_mean else [])]
        calls, repeats = merge_repeats(self.iterations())
        return Lowered("+".join(names), calls, sum(self.scratch), repeats)

    def iterations(self) -> list[list[Call]]:
        """The calls of every iteration; those of a mean end with its division."""
        iterations = [list(self._calls(iteration)) for iteration in self.run.schedule.iterations]
        return [*iterations, [self._mean()]] if self.run.in_rows[-1].is_mean else iterations

    def _calls(self, iteration: Sequence[MoveRows | ComputeRows]) -> Iterator[Call]:
        for step in iteration:
            if isinstance(step, MoveRows):
                size = row_bytes(self.graph.tensors[step.tensor])
                buffer = self._layout[0][step.tensor]
                source = At(None, buffer + step.start * size, "uint8_t")
                target = At(None, buffer, "uint8_t")
                yield Call("move_portable", (source, target), {"bytes": step.rows * size})
                continue
            choice = self.choices[self.run.key_of(step)]
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
        if isinstance(argument, At) and argument.tensor is None:
            return replace(argument, offset=self._layout[0]["scratch", step.number] + argument.offset)
        if isinstance(argument, ConstantTable):
            return replace(argument, name=f"{step.number}_{number}_{argument.name}")
        if isinstance(argument, Out):
            return self._rows(step, node.outputs[argument.index], step.first, argument.ctype)
        if isinstance(argument, In):
            x = node.inputs[argument.index]
            first = self.run.rows_read(step)[0]
            return self._rows(step, x, first, argument.ctype)
        return argument

    def _rows(self, step: ComputeRows, tensor: int, first: int, ctype: str) -> At:
        """Pointer to row `first` of a tensor, in its row buffer if it has one."""
        size = row_bytes(self.graph.tensors[tensor])
        if tensor not in self.run.inner:
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
