"""CONCATENATION, SPLIT and SPLIT_V along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Attrs, Graph, Node, Tensor
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import Operator, same
from harness.ir.operators.tflite import (
    ACTIVATIONS,
    REST,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Unsupported,
    Writing,
    activation_number,
    damaged,
    resolves_to,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, Clamp, DType

_MAX_INPUTS = 10  # TFLM, concatenation.cc
_MAX_OUTPUTS = 1_000
_MAX_RANK = 4


@dataclass(frozen=True)
class ConcatAttrs(Attrs):
    """CONCATENATION along `axis` (non-negative)."""

    axis: int
    clamp: Clamp


@dataclass(frozen=True)
class SplitAttrs(Attrs):
    """SPLIT and SPLIT_V along `axis` (non-negative); sizes are the outputs' shapes."""

    axis: int


def _verify_along(v: View, whole: Tensor, parts: list[Tensor], axis: int) -> None:
    """Checks that `parts` concatenated along `axis` have the shape of `whole`."""
    rank = len(whole.shape)
    v.need(0 <= axis < rank <= _MAX_RANK, f"has axis {axis} over {rank} dimensions (of at most {_MAX_RANK})")
    for t in parts:
        sound = len(t.shape) == rank and all(
            i == axis or n == m for i, (n, m) in enumerate(zip(t.shape, whole.shape, strict=True))
        )
        v.need(sound, f"has '{t.name}' of shape {list(t.shape)} along axis {axis} of {list(whole.shape)}")
    total = sum(t.shape[axis] for t in parts)
    v.need(total == whole.shape[axis], f"has {total} of {whole.shape[axis]} elements along axis {axis}")
    v.moved(whole, *parts)


# --- CONCATENATION ---------------------------------------------------------------------------------------------------


def _verify_concatenation(v: View) -> None:
    attrs = v.attrs(ConcatAttrs)
    parts = [v.x(i) for i in range(len(v.node.inputs))]
    _verify_along(v, v.y(), parts, attrs.axis)
    joined = (v.y(), *parts)
    known = [t for t in joined if t.quant is not None]
    if known:  # TFLM compares scales here: all have one, or none
        v.scaled(*joined)
        v.same_quant(*joined, tolerance=0.0)
    v.clamp(attrs.clamp)


def concatenation(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """CONCATENATION: copies; TFLM does not requantize here, so all scales must be the output's."""
    attrs = cast(ConcatAttrs, op.attrs)
    joined = np.concatenate([array(inputs, i) for i in range(len(inputs))], axis=attrs.axis)
    return (joined if attrs.clamp == op.y.dtype.range else np.clip(joined, *attrs.clamp).astype(op.y.dtype.numpy),)


def _is_copy(graph: Graph, node: Node) -> bool:
    y = graph.tensors[node.outputs[0]]
    return len(node.inputs) == 1 and cast(ConcatAttrs, node.attrs).clamp == y.dtype.range


def _read_concatenation(op: Reading) -> Read:
    op.count(1, 1_000)
    if len(op.inputs) > _MAX_INPUTS:
        raise Unsupported(f"more than {_MAX_INPUTS} inputs")
    if op.choice(6, ACTIVATIONS, "activation") != "NONE":
        raise Unsupported("fused activation")
    axis = op.axis(op.integer(4), len(op.output().shape))
    return op.ids(*range(len(op.inputs))), ConcatAttrs(axis, op.output().dtype.range)


def _write_concatenation(to: Writing, node: Node) -> OperatorDraft:
    attrs = cast(ConcatAttrs, node.attrs)
    activation = activation_number(attrs.clamp, to.graph.tensors[node.outputs[0]])
    fields = {"Axis": attrs.axis, "FusedActivationFunction": activation}
    return OperatorDraft(node.op, node.inputs, node.outputs, "Concatenation", fields)


# --- SPLIT and SPLIT_V -----------------------------------------------------------------------------------------------


def _verify_split(v: View) -> None:
    _verify_along(v, v.x(), [v.y(i) for i in range(len(v.node.outputs))], v.attrs(SplitAttrs).axis)


def split(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """SPLIT and SPLIT_V: the parts, whose shapes are the outputs'."""
    axis = cast(SplitAttrs, op.attrs).axis
    ends = np.cumsum([tensor.shape[axis] for tensor in op.outs])[:-1]
    return tuple(np.split(array(inputs, 0), ends, axis=axis))


def _is_whole(graph: Graph, node: Node) -> bool:
    return len(node.outputs) == 1


def _read_split(op: Reading) -> Read:
    op.count(2, outputs=len(op.outputs))
    return _split_at(op, 1, op.constant(0, "axis"), ())


def _read_split_v(op: Reading) -> Read:
    op.count(3, outputs=len(op.outputs))
    return _split_at(op, 0, op.constant(2, "axis"), op.constant(1, "sizes"))


def _split_at(op: Reading, data: int, axes: tuple[int, ...], sizes: tuple[int, ...]) -> Read:
    if len(axes) != 1 or not op.outputs:
        raise damaged(f"{op.place}: {op.name} with axes {list(axes)} and {len(op.outputs)} outputs")
    axis = op.axis(axes[0], len(op.input(data).shape))
    shapes = [op.output(i).shape for i in range(len(op.outputs))]
    found = tuple(s[axis] if axis < len(s) else 0 for s in shapes)
    if sizes and not resolves_to(sizes, found):
        raise damaged(f"{op.place}: sizes {list(sizes)} of {op.name} contradict its outputs")
    return op.ids(data), SplitAttrs(axis)


def _sizes(to: Writing, node: Node) -> list[int]:
    axis = cast(SplitAttrs, node.attrs).axis
    return [to.graph.tensors[i].shape[axis] for i in node.outputs]


def _write_split(to: Writing, node: Node) -> OperatorDraft:
    axis, sizes = cast(SplitAttrs, node.attrs).axis, _sizes(to, node)
    if len(set(sizes)) != 1:
        raise GraphError(f"SPLIT into sizes {sizes}", hint="use SPLIT_V for unequal parts")
    inputs = (to.constant("axis", axis), *node.inputs)
    return OperatorDraft(node.op, inputs, node.outputs, "Split", {"NumSplits": len(node.outputs)})


def _write_split_v(to: Writing, node: Node) -> OperatorDraft:
    axis, sizes = cast(SplitAttrs, node.attrs).axis, _sizes(to, node)
    inputs = (*node.inputs, to.constant("sizes", sizes), to.constant("axis", axis))
    return OperatorDraft(node.op, inputs, node.outputs, "SplitV", {"NumSplits": len(node.outputs)})


def _split_operator(name: str, form: TfliteForm) -> Operator:
    return Operator(
        name,
        _verify_split,
        split,
        attrs=SplitAttrs,
        outputs=(1, _MAX_OUTPUTS),
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=form,
        changes_nothing=_is_whole,
    )


OPERATORS = (
    Operator(
        "CONCATENATION",
        _verify_concatenation,
        concatenation,
        attrs=ConcatAttrs,
        inputs=(1, _MAX_INPUTS),
        types=same(DType.FLOAT32, DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.BOOL),
        traits=frozenset({Trait.ONE_SCALE}),
        tflite=TfliteForm(2, _write_concatenation, _read_concatenation, options=10),
        changes_nothing=_is_copy,
    ),
    _split_operator("SPLIT", TfliteForm(49, _write_split, _read_split, operands=range(1))),
    _split_operator("SPLIT_V", TfliteForm(102, _write_split_v, _read_split_v, operands=REST)),
)
