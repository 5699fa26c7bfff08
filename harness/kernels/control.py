"""IF and WHILE: the calls of the graphs within them, and the moves between their arenas and the node's tensors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from harness.errors import CompileError
from harness.ir.operators import OPERATORS
from harness.kernels.base import Argument, At, Branch, Call, In, Kernel, Loop, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.work import Work

_BYTES = "uint8_t"


@dataclass(frozen=True)
class Body:
    """A compiled graph within a node, whose arena is the layer's scratch.

    Attributes:
        lowered: its calls, which point to the scratch and to constants alone.
        inputs, outputs: (offset in the scratch or None for an input that nothing reads, bytes) of each.
    """

    lowered: Lowered
    inputs: tuple[tuple[int | None, int], ...]
    outputs: tuple[tuple[int, int], ...]


class ControlKernel(Kernel):
    """A node that runs graphs of its own.

    Attributes:
        loops: whether all of them run, again and again; else one of them does.
    """

    ops = frozenset[str]()
    costs_itself = False
    loops: ClassVar[bool] = False

    @abstractmethod
    def join(self, context: Context, bodies: Sequence[Body]) -> Lowered:
        """The calls of the node from those of its graphs, in the order of its attributes."""

    def lower(self, context: Context) -> Lowered:
        """Never: the compiler compiles the graphs within first, and calls join().

        Raises:
            CompileError: always.
        """
        raise CompileError(f"{context.node.op} is compiled with its graphs", hint="use harness.compiler.compile_graph")

    def work(self, context: Context) -> Work:
        tensors = context.graph.tensors
        return Work({"byte": sum(tensors[t].bytes for t in (*context.node.inputs, *context.node.outputs))})


class IfPortable(ControlKernel):
    """IF: inputs are copied to the graph that runs, and its outputs back. A constant condition leaves one graph."""

    ops = frozenset({"IF"})
    types = OPERATORS["IF"].types

    def join(self, context: Context, bodies: Sequence[Body]) -> Lowered:
        then, otherwise = (self._calls(body) for body in bodies)
        condition = context.input().data
        if condition is not None:
            (taken,) = (then if condition.reshape(-1)[0] else otherwise,)
            return _joined(bodies, taken)
        branch = Branch(0, len(then.calls), len(otherwise.calls), In(0, _BYTES))
        return _joined(bodies, then, otherwise, control=(branch,))

    def _calls(self, body: Body) -> Lowered:
        given = tuple(_moves((In(i + 1, _BYTES), place, size) for i, (place, size) in enumerate(body.inputs)))
        back = tuple(
            _move(At(None, place, _BYTES), Out(i, _BYTES), size) for i, (place, size) in enumerate(body.outputs)
        )
        return _behind(given, body.lowered, back)


class WhilePortable(ControlKernel):
    """WHILE: the values lie in the outputs from turn to turn, and are copied to the graph that runs."""

    ops = frozenset({"WHILE"})
    types = OPERATORS["WHILE"].types
    loops = True

    def join(self, context: Context, bodies: Sequence[Body]) -> Lowered:
        condition, body = bodies
        first = tuple(
            _move(In(i, _BYTES), Out(i, _BYTES), context.output(i).bytes) for i in range(len(context.node.outputs))
        )
        given = [
            tuple(_moves((Out(i, _BYTES), place, size) for i, (place, size) in enumerate(each.inputs)))
            for each in bodies
        ]
        back = tuple(
            _move(At(None, place, _BYTES), Out(i, _BYTES), size) for i, (place, size) in enumerate(body.outputs)
        )
        test, turn = _behind(given[0], condition.lowered, ()), _behind(given[1], body.lowered, back)
        ((place, _),) = condition.outputs
        loop = Loop(len(first), len(test.calls), len(turn.calls), At(None, place, _BYTES))
        return _joined(bodies, Lowered("", first), test, turn, control=(loop,))


def _move(source: Argument, target: Argument, size: int) -> Call:
    return Call("move_portable", (source, target), {"bytes": size})


def _moves(given: Iterator[tuple[Argument, int | None, int]]) -> Iterator[Call]:
    return (_move(source, At(None, place, _BYTES), size) for source, place, size in given if place is not None)


def _behind(before: tuple[Call, ...], lowered: Lowered, after: tuple[Call, ...]) -> Lowered:
    """Calls before and after those of a graph."""
    return _joined((), Lowered("", before), lowered, Lowered("", after))


def _joined(bodies: Sequence[Body], *parts: Lowered, control: tuple[Branch | Loop, ...] = ()) -> Lowered:
    """The calls of all parts in order; the arenas of the bodies lie over each other."""
    calls: list[Call] = []
    repeats, within = [], list(control)
    for part in parts:
        at = len(calls)
        calls += part.calls
        repeats += [replace(block, first=block.first + at) for block in part.repeats]
        within += [replace(block, first=block.first + at) for block in part.control]
    names = dict.fromkeys(body.lowered.kernel for body in bodies if body.lowered.kernel)
    scratch = max((body.lowered.scratch for body in bodies), default=0)
    return Lowered("+".join(names) or "move_portable", tuple(calls), scratch, tuple(repeats), tuple(within))


KERNELS: tuple[Kernel, ...] = (IfPortable(), WhilePortable())
