"""Operators that only move bytes: CONCATENATION, SPLIT, STRIDED_SLICE, PAD, variables and reshapes that need a copy."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import numpy.typing as npt

from harness.ir.graph import Tensor
from harness.ir.operators import has, names_of, names_that_move, names_with, operator_of
from harness.ir.operators.joining import ConcatAttrs, SplitAttrs
from harness.ir.operators.moves import Move
from harness.ir.operators.operator import ANY
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.operators.traits import Trait
from harness.ir.operators.variables import VARIABLE_TYPES
from harness.kernels.base import Argument, Call, ConstantTable, In, Kernel, Lowered, Out, StateOf
from harness.kernels.context import Context
from harness.kernels.loops import DEPTH, NestLoop, merge, nest_fields, nest_iterations, padded, row_major
from harness.kernels.work import Work

_BYTES = "uint8_t"
INLINED = 64
"""Bytes of the longest copy that compilers make without a call."""
STORED = 32
"""Bytes of the longest fill that they make without one."""
BLOCKS = 32
"""Bytes that move_portable moves at once."""


class MovePortable(Kernel):
    """A copy as it is: variables, and reshapes whose bytes cannot be shared."""

    ops = names_with(Trait.COPIES_STATE) | names_with(Trait.SAME_BYTES)
    types = (*ANY, *VARIABLE_TYPES)
    function = "move_portable"

    def lower(self, context: Context) -> Lowered:
        source = StateOf() if has(context.node, Trait.READS_STATE) else In(ctype=_BYTES)
        target = StateOf() if has(context.node, Trait.WRITES_STATE) else Out(ctype=_BYTES)
        return Lowered(self.function, (Call(self.function, (source, target), {"bytes": moved(context)}),))

    def work(self, context: Context) -> Work:
        blocks, rest = divmod(moved(context), BLOCKS)
        words, rest = divmod(rest, 4)
        return Work({"blocks": blocks, "word": words, "byte": rest})


def moved(context: Context) -> int:
    """Bytes of what a node copies as it is."""
    tensors = context.node.outputs or context.node.inputs
    return context.graph.tensors[tensors[0]].bytes


class Copying(Kernel):
    """What kernels that copy runs of bytes share.

    Attributes:
        function: that copies.
        fill: that fills bytes with one value.
    """

    function: str
    fill = "fill_portable"

    def copies(self, context: Context) -> list[tuple[int, int, int]]:
        """(runs, bytes of a run, bytes filled) of each call."""
        found = []
        for call in self.lower(context).calls:
            shape = call.shape
            if call.function == self.function:
                found.append((runs(call), shape["bytes"], 0))
            else:
                found.append((0, 0, shape["bytes"]))
        return found

    def filled(self, y: Tensor, value: int) -> Call:
        """What sets all elements of an output to a value."""
        byte = _one_byte(y, value)
        if byte is not None:
            return Call(self.fill, (Out(ctype=_BYTES),), {"bytes": y.bytes, "value": byte})
        raw = np.array(value, y.dtype.numpy).reshape(1).view(np.uint8)
        whole = [NestLoop(y.elements, (0, y.dtype.size))]
        return _strided(self.function, whole, y.dtype.size, 0, 0, "a fill", ConstantTable("filler", _BYTES, raw))

    def copying(self, copies: list[tuple[int, int, int]]) -> Work:
        """The work of copies: compilers copy short runs in place, and call memcpy for others."""
        loops = dict.fromkeys(("call", "run", "word", "byte", "long_run", "long_byte", "filled"), 0.0)
        for runs, size, filled in copies:
            loops["call"] += 1
            loops["filled"] += filled
            if size > INLINED:
                loops["long_run"] += runs
                loops["long_byte"] += runs * size
            else:
                loops["run"] += runs
                loops["word"] += runs * (size // 4)
                loops["byte"] += runs * (size % 4)
        return Work(loops)


def _one_byte(y: Tensor, value: int) -> int | None:
    """The byte, signed, that all bytes of an element of this value are; None where they differ."""
    raw = np.array(value, y.dtype.numpy).reshape(1).view(np.int8)
    return int(raw[0]) if (raw == raw[0]).all() else None


def _joined(whole: Tensor, parts: list[Tensor], axis: int) -> list[dict[str, int]]:
    """Per part of a tensor cut along `axis`: rows, bytes per row and offset, and the whole's bytes per row."""
    rows = prod(whole.shape[:axis])
    step = whole.bytes // rows
    found, offset = [], 0
    for part in parts:
        size = part.bytes // rows
        found.append({"rows": rows, "bytes": size, "offset": offset, "step": step})
        offset += size
    return found


class ConcatPortable(Copying):
    """CONCATENATION: one strided copy an input."""

    ops = frozenset({"CONCATENATION"})
    types = ANY
    function = "copy_rows_portable"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, ConcatAttrs)
        inputs = [context.input(i) for i in range(len(context.node.inputs))]
        calls = []
        for i, part in enumerate(_joined(context.output(), inputs, attrs.axis)):
            shape = {"rows": part["rows"], "bytes": part["bytes"], "in_offset": 0, "in_step": part["bytes"]}
            shape |= {"out_offset": part["offset"], "out_step": part["step"]}
            calls.append(Call(self.function, (In(i, _BYTES), Out(ctype=_BYTES)), shape))
        return Lowered(self.function, tuple(calls))

    def work(self, context: Context) -> Work:
        return self.copying(self.copies(context))


class SplitPortable(Copying):
    """SPLIT and SPLIT_V: one strided copy an output."""

    ops = names_of(SplitAttrs)
    types = ANY
    function = "copy_rows_portable"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, SplitAttrs)
        outputs = [context.output(i) for i in range(len(context.node.outputs))]
        calls = []
        for i, part in enumerate(_joined(context.input(), outputs, attrs.axis)):
            shape = {"rows": part["rows"], "bytes": part["bytes"], "in_offset": part["offset"]}
            shape |= {"in_step": part["step"], "out_offset": 0, "out_step": part["bytes"]}
            calls.append(Call(self.function, (In(ctype=_BYTES), Out(i, _BYTES)), shape))
        return Lowered(self.function, tuple(calls))

    def work(self, context: Context) -> Work:
        return self.copying(self.copies(context))


def runs(call: Call) -> int:
    """Runs of bytes that a call copies."""
    return call.shape["rows"] if "rows" in call.shape else nest_iterations(call.shape)


def _strided(
    function: str,
    loops: list[NestLoop],
    size: int,
    in_offset: int,
    out_offset: int,
    what: str,
    source: Argument = In(ctype=_BYTES),  # noqa: B008
    target: Argument = Out(ctype=_BYTES),  # noqa: B008
) -> Call:
    """A strided copy of elements of `size` bytes; the innermost dense loop becomes one run."""
    nest = merge(loops, 2)
    run = size
    if nest[-1].steps == (size, size):
        run *= nest.pop().count
    shape = {"bytes": run, "in_offset": in_offset, "out_offset": out_offset} | nest_fields(padded(nest, DEPTH, 2, what))
    return Call(function, (source, target), shape)


class StridedSlicePortable(Copying):
    """STRIDED_SLICE with any steps."""

    ops = names_of(SliceAttrs)
    types = ANY
    function = "strided_copy_portable"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, SliceAttrs)
        x, size = context.input(), context.input().dtype.size
        in_steps, out_steps = row_major(x.shape), row_major(attrs.counts)
        loops = [
            NestLoop(count, (step * stride * size, out * size))
            for count, step, stride, out in zip(attrs.counts, in_steps, attrs.strides, out_steps, strict=True)
        ]
        start = sum(begin * step for begin, step in zip(attrs.begin, in_steps, strict=True)) * size
        call = _strided(self.function, loops, size, start, 0, f"{context.node.op} of '{x.name}'")
        return Lowered(self.function, (call,))

    def work(self, context: Context) -> Work:
        return self.copying(self.copies(context))


class PadPortable(Copying):
    """PAD and PADV2: fill, then copy the inside."""

    ops = names_of(PadAttrs)
    types = ANY
    function = "strided_copy_portable"

    def lower(self, context: Context) -> Lowered:
        attrs = context.node.attrs
        assert isinstance(attrs, PadAttrs)
        x, y, size = context.input(), context.output(), context.output().dtype.size
        in_steps, out_steps = ([step * size for step in row_major(t.shape)] for t in (x, y))
        loops = [NestLoop(n, (step, out)) for n, step, out in zip(x.shape, in_steps, out_steps, strict=True)]
        start = sum(before * step for (before, _), step in zip(attrs.paddings, out_steps, strict=True))
        fill = self.filled(y, _pad_value(context))
        return Lowered(self.function, (fill, _strided(self.function, loops, size, 0, start, f"PAD of '{x.name}'")))

    def work(self, context: Context) -> Work:
        return self.copying(self.copies(context))


def _pad_value(context: Context) -> int:
    attrs = context.node.attrs
    assert isinstance(attrs, PadAttrs)
    return attrs.value


class PadRunsPortable(PadPortable):
    """The same, where all bytes of the value are alike: runs and the border between them in turn, each byte once."""

    function = "pad_runs_portable"

    def applies(self, context: Context) -> bool:
        return _one_byte(context.output(), _pad_value(context)) is not None

    def lower(self, context: Context) -> Lowered:
        fill, copy = super().lower(context).calls
        shape = {name: value for name, value in copy.shape.items() if name != "in_offset"}
        shape |= {"total": fill.shape["bytes"], "value": fill.shape["value"]}
        return Lowered(self.function, (replace(copy, shape=shape),))

    def work(self, context: Context) -> Work:
        (call,) = self.lower(context).calls
        before, size = borders(call), call.shape["bytes"]
        if runs(call) > 1:
            work = self.copying([(runs(call), size, 0)])
            called, words = before, 0
        else:  # all sizes are constants
            work = self.copying([(int(size > INLINED), size, 0)])
            called = before[before[:, 1] > STORED]
            words = sum(-(-n // 4) for n in before[before[:, 1] <= STORED, 1])
            words += -(-size // 4) if size <= INLINED else 0
        head = np.minimum(-called[:, 0] % 4, called[:, 1])
        single = head + (called[:, 1] - head) % 4
        loops = {"gap": len(called), "gap_word": int((called[:, 1] - single).sum()) // 4, "gap_byte": int(single.sum())}
        return replace(work, loops={**work.loops, **loops, "stored": float(words)})


def borders(call: Call) -> npt.NDArray[np.int64]:
    """(place, bytes) of every piece of border before a run, and of the last one."""
    shape, starts = call.shape, np.zeros(1, np.int64)
    for n in range(DEPTH):
        starts = (starts[:, None] + np.arange(shape[f"nest.n{n}"]) * shape[f"nest.b{n}"]).reshape(-1)
    starts += shape["out_offset"]
    begin = np.append(0, starts + shape["bytes"])
    found = np.stack([begin, np.append(starts, shape["total"]) - begin], axis=1)
    return found[found[:, 1] > 0]


class MovesPortable(Copying):
    """Any operator that says which elements it copies where (Operator.moves): a strided copy a move."""

    ops = names_that_move()
    types = ANY
    function = "strided_copy_portable"

    def lower(self, context: Context) -> Lowered:
        node, moves = context.node, operator_of(context.node).moves
        assert moves is not None
        filler = operator_of(node).filler(context.graph, node)
        calls = [] if filler is None else [self.filled(context.output(), filler)]
        for move in moves(context.graph, node):
            size = context.output(move.target).dtype.size
            nest = [NestLoop(count, (read * size, write * size)) for count, read, write in move.loops]
            calls += _nested(self.function, nest, size, move)
        return Lowered(self.function, tuple(calls))

    def work(self, context: Context) -> Work:
        return self.copying(self.copies(context))


def _nested(function: str, loops: list[NestLoop], size: int, move: Move) -> list[Call]:
    """The strided copies of a move: the shortest loops beyond those of the kernel are written out."""
    nest = merge(loops, 2)
    inner = len(nest) - (nest[-1].steps == (size, size))
    outer = sorted(range(inner), key=lambda i: nest[i].count)[: max(inner - DEPTH, 0)]
    left = [loop for i, loop in enumerate(nest) if i not in outer]
    calls = []
    for place in np.ndindex(*(nest[i].count for i in outer)):
        start, to = (
            first * size + sum(at * nest[i].steps[k] for at, i in zip(place, outer, strict=True))
            for k, first in enumerate((move.start, move.to))
        )
        source, target = In(move.source, _BYTES), Out(move.target, _BYTES)
        calls.append(_strided(function, left, size, start, to, "a copy", source, target))
    return calls


KERNELS: tuple[Kernel, ...] = (
    MovePortable(),
    ConcatPortable(),
    SplitPortable(),
    StridedSlicePortable(),
    PadPortable(),
    PadRunsPortable(),
    MovesPortable(),
)
