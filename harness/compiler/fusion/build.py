"""Chained layers as one: the calls that compute them a few rows at a time, and the memory that this takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from harness.compiler.choice import Choice
from harness.compiler.cost.estimate import step_cost
from harness.compiler.cost.model import Cost
from harness.compiler.fusion.rows import is_total, needed, part, row_bytes
from harness.compiler.fusion.schedule import Compute, Move, Schedule, schedule
from harness.compiler.memory.arena import allocate
from harness.compiler.memory.lifetimes import Use, Value
from harness.compiler.memory.overlap import Overlap, overlap_of
from harness.compiler.plan import KernelUse, LayerCode
from harness.hardware.target import Target
from harness.ir.graph import ABSENT, Graph, Node
from harness.ir.operators.mean import MeanAttrs
from harness.ir.window import PoolAttrs
from harness.kernels.access_order import NEVER
from harness.kernels.base import Argument, At, Call, ConstantTable, In, Lowered, Out, Repeat, Scratch
from harness.kernels.context import Context
from harness.quantization.params import mean_params

CALL = 40
"""Instructions around a call, expected."""

MOVED_WORD = 2.5
"""Instructions a word that is moved, expected."""

Pick = Callable[[Node, "tuple[int, ...]", Callable[[], Context]], Choice]
"""The kernel for a part of a node: of which node, what tells the part apart from others, and how to come by it."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Nodes computed together, `rows` rows of the last one's output at a time.

    Like a Choice, it tells what it takes; only the last node's output exists as a whole.
    """

    graph: Graph
    nodes: tuple[Node, ...]
    target: Target
    rows: int
    pick: Pick

    @property
    def node(self) -> Node:
        """The node whose output is written."""
        return self.nodes[-1]

    @cached_property
    def _schedule(self) -> Schedule:
        return schedule(self.graph, self.nodes, self.rows)

    @cached_property
    def _inner(self) -> frozenset[int]:
        return frozenset(node.outputs[0] for node in self.nodes[:-1])

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Tensors that are read as wholes, constants left out."""
        read = (t for node in self.nodes for t in node.inputs if t != ABSENT and self.graph.tensors[t].data is None)
        return tuple(dict.fromkeys(t for t in read if t not in self._inner))

    @cached_property
    def _choices(self) -> dict[tuple[int, ...], Choice | None]:
        """By node, rows of output and of padding: the kernel of such a part."""
        found: dict[tuple[int, ...], Choice | None] = {}
        for step in self._computes():
            key = self._kind(step)
            if key not in found:
                node = self.nodes[step.number]
                total = is_total(self.graph, node)
                found[key] = None if total else self.pick(node, key[1:], partial(self._part, step))
        return found

    def _part(self, step: Compute) -> Context:
        graph, node = part(self.graph, self.nodes[step.number], step.first, step.end)
        return Context(graph, node, self.target)

    def _kind(self, step: Compute) -> tuple[int, ...]:
        """What tells apart two parts of which each needs its own shape."""
        node = self.nodes[step.number]
        (first, end), *_ = needed(self.graph, node, step.first, step.end).values()
        at_top = step.first if first == 0 else -1
        at_bottom = step.end if end == self.graph.tensors[node.inputs[0]].shape[1] else -1
        return step.number, step.end - step.first, end - first, at_top, at_bottom

    def _computes(self) -> Iterator[Compute]:
        return (step for turn in self._schedule.turns for step in turn if isinstance(step, Compute))

    # --- memory ------------------------------------------------------------------------------------------------------

    @cached_property
    def _layout(self) -> tuple[dict[object, int], int]:
        """Offset of each window, of the kernels' scratch by node, and of the sums; and the size of it all.

        What is kept from turn to turn has its place throughout, the rest from its producer to its last consumer.
        """
        values: list[Value] = []
        keys: list[object] = []
        count = len(self.nodes)
        for number, node in enumerate(self.nodes):
            y = node.outputs[0]
            if y in self._inner:
                readers = [i for i, other in enumerate(self.nodes) if y in other.inputs]
                span = (0, count) if y in self._schedule.carried else (number, max(readers))
                size = self._schedule.windows[y] * row_bytes(self.graph.tensors[y])
                values.append(Value(f"rows of {y}", size, *span))
                keys.append(y)
            scratch = max((sum(c.scratch) for k, c in self._choices.items() if c and k[0] == number), default=0)
            if scratch:
                values.append(Value(f"scratch {number}", scratch, number, number))
                keys.append(("scratch", number))
            if is_total(self.graph, node):
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
        """Rows that do not outlive their turn may be written over rows that do not either."""
        carried, found = self._schedule.carried, dict[tuple[int, int], Overlap]()
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
        """Whether node `number` always reads and writes from the beginning of its windows on."""
        node = self.nodes[number]
        return all(
            step.first == step.fronts[y] and needed(self.graph, node, step.first, step.end)[x][0] == step.fronts[x]
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
            node, choice = self.nodes[step.number], self._choices[self._kind(step)]
            order = choice.kernel.access_order(choice.context) if choice else None
            final = step.number == len(self.nodes) - 1
            own = order if final else None
            after = int(own.writes.max()) + 1 if own else int(final)
            for position, x in enumerate(node.inputs):
                if x in reads:
                    first, end = needed(self.graph, node, step.first, step.end)[x]
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
        """What the layers compute, for the plan."""
        times = Counter(map(self._kind, self._computes()))
        parts = tuple(KernelUse(c.kernel, c.context, times[kind]) for kind, c in self._choices.items() if c)
        return LayerCode(self.nodes, parts, self.inputs, self.lowered, self._around)

    @property
    def use(self) -> Use:
        """What the layer means for the arena."""
        return Use(self.inputs, self.node.outputs, self.scratch, self.overlaps)

    # --- time and code -----------------------------------------------------------------------------------------------

    @cached_property
    def _around(self) -> float:
        """Instructions between the kernels."""
        moved = sum(
            move.rows * row_bytes(self.graph.tensors[move.tensor])
            for turn in self._schedule.turns
            for move in turn
            if isinstance(move, Move)
        )
        return CALL * sum(len(turn) for turn in self._schedule.turns) + MOVED_WORD * moved / 4

    @cached_property
    def cost(self) -> Cost:
        """The sum over all calls, and what moving rows takes."""
        return step_cost(self.step)

    @property
    def time(self) -> float:
        """Expected modelled cycles."""
        return self.cost.cycles

    @cached_property
    def lowered(self) -> Lowered:
        """The calls of all turns; turns that differ only in where they read and write are repeated."""
        kernels = dict.fromkeys(c.lowered.kernel for c in self._choices.values() if c)
        names = [*kernels, *(["image_sums_portable"] if is_total(self.graph, self.node) else [])]
        calls, repeats = folded(self.turns())
        return Lowered("+".join(names), calls, sum(self.scratch), repeats)

    def turns(self) -> list[list[Call]]:
        """The calls of every turn."""
        turns = [list(self._calls(turn)) for turn in self._schedule.turns]
        return [*turns, [self._mean()]] if is_total(self.graph, self.node) else turns

    def _calls(self, turn: Sequence[Move | Compute]) -> Iterator[Call]:
        for step in turn:
            if isinstance(step, Move):
                size = row_bytes(self.graph.tensors[step.tensor])
                window = self._layout[0][step.tensor]
                source = At(None, window + step.start * size, "uint8_t")
                target = At(None, window, "uint8_t")
                yield Call("move_portable", (source, target), {"bytes": step.rows * size})
                continue
            choice = self._choices[self._kind(step)]
            if choice is None:
                yield self._sums(step)
                continue
            for number, call in enumerate(choice.lowered.calls):
                assert isinstance(call, Call)
                arguments = tuple(self._argument(step, choice, number, a) for a in call.arguments)
                yield replace(call, arguments=arguments)

    def _argument(self, step: Compute, choice: Choice, number: int, argument: Argument) -> Argument:
        node = self.nodes[step.number]
        if isinstance(argument, Scratch):
            return At(None, self._layout[0]["scratch", step.number], argument.ctype)
        if isinstance(argument, ConstantTable):
            return replace(argument, name=f"{step.number}_{number}_{argument.name}")
        if isinstance(argument, Out):
            return self._rows(step, node.outputs[argument.index], step.first, argument.ctype)
        if isinstance(argument, In):
            x = node.inputs[argument.index]
            first = needed(self.graph, node, step.first, step.end)[x][0]
            return self._rows(step, x, first, argument.ctype)
        return argument

    def _rows(self, step: Compute, tensor: int, first: int, ctype: str) -> At:
        """Pointer to a row of a tensor, or of the window that there is of it."""
        size = row_bytes(self.graph.tensors[tensor])
        if tensor not in self._inner:
            return At(tensor, first * size, ctype)
        return At(None, self._layout[0][tensor] + (first - step.fronts[tensor]) * size, ctype)

    def _sums(self, step: Compute) -> Call:
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


# --- turns that repeat -----------------------------------------------------------------------------------------------


def folded(turns: Sequence[Sequence[Call]]) -> tuple[tuple[Call, ...], tuple[Repeat, ...]]:
    """The calls of all turns; of runs of turns that differ only in evenly moving pointers those of the first."""
    calls: list[Call] = []
    repeats: list[Repeat] = []
    at = 0
    while at < len(turns):
        times = 1
        moves: list[tuple[int, ...]] | None = None
        while at + times < len(turns):
            found = _steps(turns[at + times - 1], turns[at + times])
            if found is None or (moves is not None and found != moves):
                break
            moves, times = found, times + 1
        turn = list(turns[at])
        if moves is not None:
            repeats.append(Repeat(len(calls), len(turn), times))
            turn = [
                replace(call, arguments=tuple(map(_moving, call.arguments, by)))
                for call, by in zip(turn, moves, strict=True)
            ]
        calls += turn
        at += times
    return tuple(calls), tuple(repeats)


def _steps(one: Sequence[Call], two: Sequence[Call]) -> list[tuple[int, ...]] | None:
    """Bytes by which each pointer moves from one turn to the next; None where the turns differ otherwise."""
    if len(one) != len(two):
        return None
    found = []
    for a, b in zip(one, two, strict=True):
        if a.function != b.function or a.shape != b.shape or len(a.arguments) != len(b.arguments):
            return None
        moves = [_step(x, y) for x, y in zip(a.arguments, b.arguments, strict=True)]
        if any(move is None for move in moves):
            return None
        found.append(tuple(move for move in moves if move is not None))
    return found


def _step(a: Argument, b: Argument) -> int | None:
    if isinstance(a, At) and isinstance(b, At):
        return b.offset - a.offset if (a.tensor, a.ctype) == (b.tensor, b.ctype) else None
    if isinstance(a, ConstantTable) and isinstance(b, ConstantTable):
        same = a.data is b.data or (a.ctype == b.ctype and a.name == b.name and np.array_equal(a.data, b.data))
        return 0 if same else None
    return 0 if a == b else None


def _moving(argument: Argument, by: int) -> Argument:
    return replace(argument, step=by) if isinstance(argument, At) else argument
