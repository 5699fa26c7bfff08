"""ONNX -> Graph: constants are folded, nodes lowered one after another, and the network written as a .tflite.

What has no exact form is collected and refused in one message. What is folded is computed by ONNX's own reference
implementation (onnx.reference); every output's shape is compared with ONNX's shape inference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import ModelFileError
from harness.frontends.onnx.file import OnnxFile, parse
from harness.frontends.onnx.folding import folded, inferred
from harness.frontends.onnx.interface import as_graph
from harness.frontends.onnx.lowering import lowerings
from harness.frontends.onnx.network import Network, stored_type
from harness.frontends.onnx.node import OnnxNode
from harness.frontends.onnx.problems import Refusals
from harness.frontends.onnx.uses import expanded, uses_of
from harness.frontends.onnx.value import OnnxValue, channels_last, identity
from harness.frontends.tflite.reader import load as load_tflite
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph
from harness.ir.operators.tflite import Unsupported
from harness.quantization.types import Array, DType

if TYPE_CHECKING:
    import onnx

_STANDARD = ("", "ai.onnx")
_KNOWN = frozenset(dtype.value for dtype in DType)


def read(
    data: bytes,
    place: str,
    name: str,
    sizes: Mapping[str, int] | None = None,
    *,
    images_last: bool = False,
    folder: Path | None = None,
) -> Graph:
    """The verified Graph of an ONNX file's bytes.

    sizes: of dimensions that the file leaves open. images_last: inputs and outputs of three and four dimensions have
    their channels behind the others; such a Graph has no `original`, whose inputs are others. folder: of the file,
    where its weights may lie in others.

    Raises:
        ModelFileError: the file is damaged, or the package onnx is not installed.
        UnsupportedModelError: it uses what has no exact form here; the message lists all of it.
        GraphError: the network breaks a rule of the verifier.
        OptionError: `sizes` name a dimension that is not open.
    """
    file = parse(data, place, sizes, folder)
    network = _OnnxReader(file, place, channels_last if images_last else identity).network()
    graph = load_tflite(write(network), name=name)
    return replace(
        graph,
        original=b"" if images_last else file.content,
        sha256=hashlib.sha256(file.content).hexdigest(),
        notes=(*file.notes, *network.notes, *graph.notes),
    )


class _OnnxReader:
    """One pass over the nodes of a graph."""

    def __init__(self, file: OnnxFile, place: str, order: Callable[[int], tuple[int, ...]]) -> None:
        """`order`: of the dimensions of inputs and outputs, by their number."""
        self._order = order
        self._file = file
        self._place = place
        self._problems = Refusals()
        self._net = Network()
        self._values: dict[str, OnnxValue | None] = {"": None}
        self._model = expanded(file.model)
        self._opsets = {entry.domain: entry.version for entry in file.model.opset_import}
        self._uses = uses_of(self._model.graph, file.constants)
        self._net.remaining.update(self._uses)

    def network(self) -> Graph:
        """The network, as it is written to a .tflite.

        Raises:
            UnsupportedModelError: something in it has no exact form.
            ModelFileError: the graph contradicts itself.
        """
        for name, data in self._file.constants.items():
            self._constant(name, data)
        inputs = [self._input(*entry) for entry in self._file.inputs]
        self._nodes(self._model.graph.node)
        outputs = []
        for entry in self._model.graph.output:
            if entry.name not in self._values:
                raise ModelFileError(f"{self._place}: output '{entry.name}' is not computed", hint="export it again")
            outputs.append(self._values[entry.name])
        error = self._problems.error(self._place)
        if error is not None:
            raise error
        return as_graph(self._net, inputs, [value for value in outputs if value is not None], self._order)

    # --- values ------------------------------------------------------------------------------------------------------

    def _constant(self, name: str, data: Array) -> None:
        if data.dtype.name not in _KNOWN:
            # Of another type, such as float64 and text: for attributes and folding alone.
            self._values[name] = OnnxValue(name, data.shape, DType.FLOAT32, data)
            return
        self._values[name] = OnnxValue(name, data.shape, DType(data.dtype.name), data)

    def _input(self, name: str, shape: tuple[int, ...], kind: int) -> int:
        import onnx

        dtype = _dtype(kind)
        if dtype is None:
            self._problems.types[f"{onnx.TensorProto.DataType.Name(kind).lower()} (input)"] += 1
            self._values[name] = None
            return 0
        order = self._order(len(shape))
        kept = DType.UINT8 if dtype is DType.UINT8 else stored_type(dtype)
        given = tensor = self._net.tensor(name, [shape[i] for i in order], kept)
        if dtype is DType.UINT8:
            tensor = self._net.shifted(given, name)
        self._values[name] = OnnxValue(name, shape, dtype, None, tensor, order)
        self._net.owners[tensor] = {name}
        if dtype is DType.INT64:
            self._net.notes.append(f"input '{name}' is int64 in the file, and int32 here")
        return given

    # --- nodes -------------------------------------------------------------------------------------------------------

    def _nodes(self, protos: Iterable[onnx.NodeProto]) -> None:
        for proto in protos:
            if proto.op_type == "If" and proto.domain in _STANDARD and self._branch(proto):
                continue
            self._node(proto)
            self._net.remaining.subtract(name for name in proto.input if name)

    def _branch(self, proto: onnx.NodeProto) -> bool:
        """Lowers the branch of an If whose condition is known; False where it is not."""
        from onnx import numpy_helper

        condition = self._values.get(proto.input[0]) if proto.input else None
        if condition is None or condition.data is None or condition.data.size != 1:
            return False
        name = "then_branch" if condition.data.reshape(-1)[0] else "else_branch"
        graph = next((a.g for a in proto.attribute if a.name == name), None)
        if graph is None or len(graph.output) != len(proto.output):
            return False
        for tensor in graph.initializer:
            self._constant(tensor.name, np.asarray(numpy_helper.to_array(tensor)))
        self._nodes(graph.node)
        for inner, outer in zip(graph.output, proto.output, strict=True):
            value = self._values.get(inner.name)
            if value is None:
                self._values[outer] = None
            elif outer:
                self._bind(outer, value)
        self._net.remaining.subtract(entry.name for entry in graph.output)
        return True

    def _node(self, proto: onnx.NodeProto) -> None:
        for name in proto.input:
            if name not in self._values:
                raise ModelFileError(
                    f"{self._place}: node '{proto.name or proto.op_type}' reads '{name}', which nothing computes",
                    hint="the file is damaged: export it again",
                )
        if any(name and self._values[name] is None for name in proto.input):
            self._unknown(proto)  # a consequence of what is reported
            return
        name = proto.op_type if proto.domain in _STANDARD else f"{proto.domain}.{proto.op_type}"
        try:
            values = self._made(proto, name)
        except Unsupported as missing:
            self._problems.features[f"{name} with {missing}"] += 1
            values = None
        if values is None:
            self._unknown(proto)
            return
        for output, value in zip(proto.output, values, strict=False):
            if output:
                self._bind(output, value)
        for output in proto.output[len(values) :]:
            self._values[output] = None

    def _bind(self, name: str, value: OnnxValue) -> None:
        value = value.named(name)
        self._values[name] = value
        if value.data is None:
            self._net.owners.setdefault(value.tensor, set()).add(name)
            tensor = self._net.tensors[value.tensor]
            if tensor.name.startswith(f"{self._net.naming}/"):
                self._net.tensors[value.tensor] = replace(tensor, name=name)

    def _unknown(self, proto: onnx.NodeProto) -> None:
        self._values.update(dict.fromkeys((name for name in proto.output if name), None))

    def _made(self, proto: onnx.NodeProto, name: str) -> Sequence[OnnxValue] | None:
        """The outputs of a node; None where it is an operator that there is no form of, which is counted.

        Raises:
            Unsupported: something in it has no exact form.
        """
        import onnx

        inputs = tuple(self._values[i] for i in proto.input)
        schema = None
        if proto.domain in _STANDARD and onnx.defs.has(proto.op_type):
            try:
                schema = onnx.defs.get_schema(proto.op_type, self._file.opset)
            except onnx.defs.SchemaError:
                schema = None
        if schema is not None:
            constants = folded(proto, schema, inputs, self._model.opset_import)
            if constants is not None:
                return constants
        lowering = lowerings().get(name)
        since = schema.since_version if schema is not None else self._opsets.get(proto.domain, 0)
        if lowering is None or (schema is None and proto.domain in _STANDARD):
            self._problems.operators[name] += 1
            return None
        if since not in lowering.versions:
            raise Unsupported(f"the meaning of opset {since}")
        attributes = {a.name: _attribute(onnx.helper.get_attribute_value(a)) for a in proto.attribute}
        node = OnnxNode(name, since, inputs, tuple(proto.output), attributes, self._uses)
        self._net.naming = next((output for output in proto.output if output), name)
        try:
            values = lowering.lower(node, self._net)
        except (ValueError, LookupError, TypeError, ArithmeticError) as error:  # attributes that contradict each other
            raise Unsupported(f"operands that do not fit ({type(error).__name__})") from None
        left = node.unread()
        if left:
            raise Unsupported(f"attribute {', '.join(left)}")
        if schema is not None:
            self._compare(proto, schema, values)
        return values

    def _compare(self, proto: onnx.NodeProto, schema: Any, values: Sequence[OnnxValue]) -> None:
        """Checks shapes and types against ONNX's inference.

        Raises:
            Unsupported: they differ.
        """
        import onnx

        found = inferred(proto, schema, {i: self._values[i] for i in proto.input}, self._model.opset_import)
        for name, value in zip(proto.output, values, strict=False):
            kind = found.get(name)
            if not name or kind is None or not kind.HasField("tensor_type"):
                continue
            tensor = kind.tensor_type
            if tensor.elem_type and _dtype(tensor.elem_type) is not value.dtype:
                raise Unsupported(f"an output of type {onnx.TensorProto.DataType.Name(tensor.elem_type).lower()}")
            if not tensor.HasField("shape"):
                continue
            wanted = [d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim]
            same = len(wanted) == value.rank and all(
                w in (None, n) for w, n in zip(wanted, value.shape, strict=True)
            )
            if not same:
                raise Unsupported(f"a shape of {list(value.shape)} where ONNX infers {wanted}")


def _attribute(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        return [part.decode("utf-8", "replace") for part in value]
    return value


def _dtype(kind: int) -> DType | None:
    """The element type of ONNX's number; None where there is none."""
    import onnx

    try:
        name = onnx.helper.tensor_dtype_to_np_dtype(kind).name
    except (KeyError, TypeError, ValueError):
        return None
    plain = kind in _PLAIN
    return DType(name) if plain and name in _KNOWN else None


_PLAIN = frozenset({1, 2, 3, 5, 6, 7, 9, 12, 13})
"""Numbers of ONNX's element types that numpy has; others are mapped to some of numpy's."""
