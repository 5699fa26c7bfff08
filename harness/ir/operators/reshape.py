"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape."""

from __future__ import annotations

from harness.errors import GraphError
from harness.ir.graph import ABSENT, Graph, NoAttrs, Node
from harness.ir.operators.operands import Inputs, Operands, array
from harness.ir.operators.operator import ANY, Operator
from harness.ir.operators.tflite import (
    REST,
    OperatorDraft,
    Read,
    Reading,
    TfliteForm,
    Writing,
    damaged,
    dimensions_left,
    read_plain,
    resolves_to,
)
from harness.ir.operators.traits import Trait
from harness.ir.operators.view import View
from harness.quantization.types import Array, DType

_TRAITS = frozenset({Trait.SAME_BYTES, Trait.SAME_VALUES})
_MAX_RANK = 8


def _verify(v: View) -> None:
    x, y = v.x(), v.y()
    v.need(x.elements == y.elements, f"makes {list(y.shape)} of {list(x.shape)}")
    if x.quant is not None and y.quant is not None and x.dtype is not DType.FLOAT32:
        v.same_quant(x, y)


def reshape(inputs: Inputs, op: Operands) -> tuple[Array, ...]:
    """The same elements in the output's shape."""
    return (array(inputs, 0).reshape(op.y.shape),)


def _changes_nothing(graph: Graph, node: Node) -> bool:
    return graph.tensors[node.inputs[0]].shape == graph.tensors[node.outputs[0]].shape


def _read_reshape(op: Reading) -> Read:
    op.count(1, 2)
    if len(op.inputs) == 2 and op.inputs[1] != ABSENT:
        wanted = op.constant(1, "shape")
    else:
        wanted = op.integers(4, "new shape", _MAX_RANK)
    shape = op.output().shape
    # TFLM goes by the output tensor alone; [0] is how old converters wrote a scalar.
    if wanted and wanted != (0,) and not resolves_to(wanted, shape):
        raise damaged(f"{op.place}: RESHAPE to {list(wanted)}, but its output has shape {list(shape)}")
    return op.ids(0), NoAttrs()


def _write_reshape(to: Writing, node: Node) -> OperatorDraft:
    shape = to.graph.tensors[node.outputs[0]].shape
    inputs = (*node.inputs, to.constant("shape", shape))
    return OperatorDraft(node.op, inputs, node.outputs, "Reshape", {"NewShape": shape})


def _write_squeeze(to: Writing, node: Node) -> OperatorDraft:
    x, y = to.graph.tensors[node.inputs[0]].shape, to.graph.tensors[node.outputs[0]].shape
    dropped = sorted(set(range(len(x))) - set(dimensions_left(x, y, node.op)))
    if not dropped and 1 in x:
        raise GraphError("SQUEEZE that drops nothing: no dimensions would mean all of 1", hint="use RESHAPE")
    return OperatorDraft(node.op, node.inputs, node.outputs, "Squeeze", {"SqueezeDims": dropped})


def _read_expand_dims(op: Reading) -> Read:
    op.count(2)
    op.constant(1, "axis")
    return op.ids(0), NoAttrs()


def _write_expand_dims(to: Writing, node: Node) -> OperatorDraft:
    x, y = to.graph.tensors[node.inputs[0]].shape, to.graph.tensors[node.outputs[0]].shape
    added = sorted(set(range(len(y))) - set(dimensions_left(y, x, node.op)))
    if len(added) != 1:
        raise GraphError(f"EXPAND_DIMS adds {len(added)} dimensions", hint="use RESHAPE")
    return OperatorDraft(node.op, (*node.inputs, to.constant("axis", added[0])), node.outputs, "ExpandDims")


def _operator(name: str, form: TfliteForm) -> Operator:
    return Operator(
        name, _verify, reshape, types=ANY, traits=_TRAITS, tflite=form, changes_nothing=_changes_nothing
    )


OPERATORS = (
    _operator(
        "RESHAPE", TfliteForm(22, _write_reshape, _read_reshape, options=17, version=1, operands=REST)
    ),
    _operator("SQUEEZE", TfliteForm(43, _write_squeeze, read_plain, version=1)),
    _operator("EXPAND_DIMS", TfliteForm(70, _write_expand_dims, _read_expand_dims, version=1, operands=REST)),
)
