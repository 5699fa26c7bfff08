"""Constants: nodes that follow from constants and shapes alone are computed while the file is read.

ONNX's reference implementation computes them (onnx.reference); how large they become is inferred before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.frontends.onnx.lowering.quantization import integer_constant, real_constant
from harness.frontends.onnx.node import OnnxNode
from harness.frontends.onnx.value import OnnxValue
from harness.ir.operators.tflite import Unsupported
from harness.ir.verifier import MAX_TENSOR_BYTES
from harness.quantization.types import Array, DType

if TYPE_CHECKING:
    import onnx

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
_QUANTIZING = {"QuantizeLinear": integer_constant, "DequantizeLinear": real_constant}
"""Those that the reference has for the newest opsets alone."""

_OF_SHAPE = frozenset({"Shape", "Size"})
_KNOWN = frozenset(dtype.value for dtype in DType)
_MOST_KNOWN = 4096
"""Elements of a constant that shape inference is given."""


def folded(
    proto: onnx.NodeProto, schema: Any, inputs: Sequence[OnnxValue | None], opsets: Sequence[Any]
) -> tuple[OnnxValue, ...] | None:
    """The outputs of a node of constants, or whose outputs follow from shapes; None of another.

    Raises:
        Unsupported: they are too large, or ONNX's reference does not compute them.
    """
    import onnx

    name = proto.op_type
    if name in _OF_SHAPE and inputs and inputs[0] is not None and inputs[0].data is None:
        return (_shape(proto, inputs[0]),)
    at_run_time = any(value is not None and value.data is None for value in inputs)
    if name in _RANDOM or at_run_time or any(a.HasField("g") or a.graphs for a in proto.attribute):
        return None
    if name in _QUANTIZING:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
        return (_QUANTIZING[name](OnnxNode(name, 0, tuple(inputs), (), attributes)),)
    values = dict(zip(proto.input, inputs, strict=True))
    given = {i: value.data for i, value in values.items() if value is not None and value.data is not None}
    _check_size(proto, given, inferred(proto, schema, values, opsets))
    made = _evaluated(proto, given, opsets)
    return tuple(_constant(output, made.get(output, np.zeros(0))) for output in proto.output)


def _constant(name: str, data: Array) -> OnnxValue:
    if data.nbytes > MAX_TENSOR_BYTES:
        raise Unsupported("a constant that is too large")
    return OnnxValue(name, data.shape, DType(data.dtype.name) if data.dtype.name in _KNOWN else DType.FLOAT32, data)


def _evaluated(proto: onnx.NodeProto, given: Mapping[str, Array], opsets: Sequence[Any]) -> Mapping[str, Array]:
    """Outputs by name."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    names = [name for name in proto.output if name]
    graph = onnx.helper.make_graph(
        [proto],
        "folded",
        [onnx.helper.make_value_info(i, _type_of(data.dtype, data.shape)) for i, data in given.items()],
        [onnx.ValueInfoProto(name=name) for name in names],
    )
    model = onnx.helper.make_model(graph, opset_imports=list(opsets))
    try:
        with np.errstate(all="ignore"):
            outputs = ReferenceEvaluator(model).run(None, dict(given))
    except Exception as error:  # whatever numpy says of values that do not fit
        raise Unsupported(f"constants that ONNX's reference refuses ({type(error).__name__})") from None
    return {name: np.asarray(output) for name, output in zip(names, outputs, strict=False)}


def inferred(
    proto: onnx.NodeProto, schema: Any, values: Mapping[str, OnnxValue | None], opsets: Sequence[Any]
) -> Mapping[str, Any]:
    """ONNX's types of the outputs by name, as far as it infers some."""
    import onnx

    types, known = {}, {}
    for name, value in values.items():
        if not name or value is None:
            continue
        types[name] = _type_of(value.dtype.numpy if value.data is None else value.data.dtype, value.shape)
        if value.data is not None and value.data.size <= _MOST_KNOWN:
            known[name] = onnx.numpy_helper.from_array(value.data, name)
    try:
        found: Mapping[str, Any] = onnx.shape_inference.infer_node_outputs(
            schema, proto, types, known, opset_imports=list(opsets)
        )
    except Exception:  # nothing is known then
        return {}
    return found


def _type_of(dtype: Any, shape: Sequence[int]) -> Any:
    import onnx

    return onnx.helper.make_tensor_type_proto(onnx.helper.np_dtype_to_tensor_dtype(dtype), shape)


def _check_size(proto: onnx.NodeProto, given: Mapping[str, Array], types: Mapping[str, Any]) -> None:
    """Checks the sizes of what is folded before it is computed: a few numbers can make large tensors.

    Raises:
        Unsupported: they are too large.
    """
    for kind in types.values():
        if kind.HasField("tensor_type") and kind.tensor_type.HasField("shape"):
            sizes = [d.dim_value for d in kind.tensor_type.shape.dim if d.HasField("dim_value")]
            if prod(sizes) > MAX_TENSOR_BYTES:
                raise Unsupported("a constant that is too large")
    if proto.op_type == "Range" and len(given) == 3:
        start, limit, delta = (float(np.asarray(d, np.float64).reshape(-1)[0]) for d in given.values())
        if delta == 0 or abs((limit - start) / delta) > MAX_TENSOR_BYTES:
            raise Unsupported("a constant that is too large")


def _shape(proto: onnx.NodeProto, x: OnnxValue) -> OnnxValue:
    """Of Shape and Size."""
    if proto.op_type == "Size":
        return OnnxValue("", (), DType.INT64, np.array(prod(x.shape), np.int64))
    start = next((a.i for a in proto.attribute if a.name == "start"), 0)
    end = next((a.i for a in proto.attribute if a.name == "end"), x.rank)
    data = np.array(x.shape[slice(start, end)], np.int64)
    return OnnxValue("", data.shape, DType.INT64, data)
