"""PAD and PADV2: (before, after) elements of one value around each dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import (
    MAX_WINDOW,
    REST,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    damaged,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_MAX_RANK = 4
_TYPES = same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32)


@dataclass(frozen=True)
class PadAttrs(Attrs):
    """PAD and PADV2: (before, after) per dimension, filled with `value` in quantized units."""

    paddings: tuple[tuple[int, int], ...]
    value: int


def _verify(v: View) -> None:
    x, y, attrs = v.x(), v.y(), v.attrs(PadAttrs)
    fits = len(x.shape) <= _MAX_RANK and len(attrs.paddings) == len(x.shape)
    v.need(fits, f"pads {list(x.shape)} by {attrs.paddings}")
    v.need(all(before >= 0 and after >= 0 for before, after in attrs.paddings), "has a negative padding")
    v.shape(y, tuple(n + before + after for n, (before, after) in zip(x.shape, attrs.paddings, strict=True)))
    v.moved(x, y)
    v.clamp((attrs.value, attrs.value))


def padding_of(y: Tensor) -> int:
    """What PAD fills `y` with: the zero point of int8 alone, else 0 whatever the zero point. Source: TFLM's pad.cc."""
    return y.quant.zero_point if y.dtype is DType.INT8 and y.quant is not None else 0


def pad(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The input with `value` around it."""
    attrs = cast(PadAttrs, op.attrs)
    return (np.pad(array(inputs, 0), attrs.paddings, constant_values=op.y.dtype.numpy.type(attrs.value)),)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    return all(pair == (0, 0) for pair in cast(PadAttrs, node.attrs).paddings)


def _read(op: Reading) -> Read:
    op.count(2, 3)
    flat = op.constant(1, "paddings")
    if len(flat) != 2 * len(op.input(0).shape) or any(not 0 <= n <= MAX_WINDOW for n in flat):
        raise damaged(f"{op.place}: paddings {list(flat)} of a tensor of shape {list(op.input(0).shape)}")
    pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
    if len(op.inputs) == 2:
        return op.ids(0), PadAttrs(pairs, padding_of(op.output()))
    value, y = op.input(2), op.output()
    if value.data is None:
        raise Unsupported("padding value computed at run time")
    if value.elements != 1 or value.dtype is not y.dtype:
        raise damaged(f"{op.place}: padding value of shape {list(value.shape)} and type {value.dtype.value}")
    if value.quant is not None and y.quant is not None and value.quant != y.quant:
        raise Unsupported("padding value quantized otherwise than the output")
    number = np.asarray(value.data).ravel()[0]
    if number != int(number):
        raise Unsupported("padding value that is no whole number")
    return op.ids(0), PadAttrs(pairs, int(number))


def _write(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(PadAttrs, node.attrs)
    y = to.graph.tensors[node.outputs[0]]
    inputs = (*node.inputs, to.constant("paddings", np.array(attrs.paddings, np.int32).reshape(-1, 2)))
    if attrs.value == padding_of(y):
        return OperatorDraft("PAD", inputs, node.outputs, "Pad")
    value = to.constant("value", np.array([attrs.value], y.dtype.numpy), y.quant)
    return OperatorDraft("PADV2", (*inputs, value), node.outputs, "PadV2")


def _operator(name: str, code: int, operands: range) -> Operator:
    form = TfliteForm(code, _write, _read, operands=operands)
    return Operator(
        name,
        _verify,
        pad,
        attrs=PadAttrs,
        types=_TYPES,
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=form,
        changes_nothing=_changes_nothing,
    )


OPERATORS = (_operator("PAD", 34, REST), _operator("PADV2", 60, range(1, 2)))
