"""ONNX -> Graph: constants are folded, nodes lowered one after another, and the network written as a .tflite.

What has no exact form is collected and refused in one message. What is folded is computed by ONNX's own reference
implementation (onnx.reference); every output's shape is compared with ONNX's shape inference.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import ModelFileError
from harness.frontends.onnx.file import OnnxFile, parse
from harness.frontends.onnx.interface import as_graph
from harness.frontends.onnx.lowering import lowerings
from harness.frontends.onnx.lowering.quantization import integer_constant, real_constant
from harness.frontends.onnx.network import Network, stored_type
from harness.frontends.onnx.node import OnnxNode
from harness.frontends.onnx.problems import Refusals
from harness.frontends.onnx.value import OnnxValue, channels_last, identity
from harness.frontends.tflite.reader import load as load_tflite
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph
from harness.ir.operators.tflite import Unsupported
from harness.ir.verifier import MAX_TENSOR_BYTES
from harness.quantization.types import Array, DType

if TYPE_CHECKING:
    import onnx

_RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
_STANDARD = ("", "ai.onnx")
_QUANTIZING = {"QuantizeLinear": integer_constant, "DequantizeLinear": real_constant}
_OF_SHAPE = frozenset({"Shape", "Size"})
_KNOWN = frozenset(dtype.value for dtype in DType)


def read(
    data: bytes, place: str, name: str, sizes: Mapping[str, int] | None = None, *, images_last: bool = False
) -> Graph:
    """The verified Graph of an ONNX file's bytes.

    sizes: of dimensions that the file leaves open. images_last: inputs and outputs of three and four dimensions have
    their channels behind the others; such a Graph has no `original`, whose inputs are others.

    Raises:
        ModelFileError: the file is damaged, or the package onnx is not installed.
        UnsupportedModelError: it uses what has no exact form here; the message lists all of it.
        GraphError: the network breaks a rule of the verifier.
        OptionError: `sizes` name a dimension that is not open.
    """
    file = parse(data, place, sizes)
    network = _OnnxReader(file, place, channels_last if images_last else identity).network()
    graph = load_tflite(write(network), name=name)
    return replace(
        graph,
        original=b"" if images_last else data,
        sha256=hashlib.sha256(data).hexdigest(),
        notes=(*file.notes, *network.notes),
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
        self._model = _expanded(file.model)
        self._opsets = {entry.domain: entry.version for entry in file.model.opset_import}
        self._uses = _uses(self._model.graph, file.constants)
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
        if schema is not None and name not in _RANDOM:
            folded = self._folded(proto, name, inputs)
            if folded is not None:
                return folded
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

        types = {i: _type_of(value) for i in proto.input if i and (value := self._values[i]) is not None}
        known = {
            i: onnx.numpy_helper.from_array(value.data, i)
            for i in proto.input
            if i and (value := self._values[i]) is not None and value.data is not None and value.data.size <= 4096
        }
        try:
            inferred = onnx.shape_inference.infer_node_outputs(
                schema, proto, types, known, opset_imports=list(self._model.opset_import)
            )
        except Exception:  # nothing is known then
            return
        for name, value in zip(proto.output, values, strict=False):
            kind = inferred.get(name)
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

    # --- folding -----------------------------------------------------------------------------------------------------

    def _folded(
        self, proto: onnx.NodeProto, name: str, inputs: Sequence[OnnxValue | None]
    ) -> tuple[OnnxValue, ...] | None:
        """The outputs of a node whose inputs are constants, or whose outputs follow from shapes; else None.

        Raises:
            Unsupported: they are too large.
        """
        import onnx
        from onnx.reference import ReferenceEvaluator

        if name in _OF_SHAPE and inputs and inputs[0] is not None and inputs[0].data is None:
            return self._shape(proto, name, inputs[0])
        if any(value is not None and value.data is None for value in inputs) or any(
            a.HasField("g") or a.graphs for a in proto.attribute
        ):
            return None
        if name in _QUANTIZING:  # the reference has them for the newest opsets alone
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
            return (_QUANTIZING[name](OnnxNode(name, 0, tuple(inputs), (), attributes)),)
        given = {
            i: value.data
            for i, value in zip(proto.input, inputs, strict=True)
            if value is not None and value.data is not None
        }
        self._bounded(proto, given)
        graph = onnx.helper.make_graph(
            [proto],
            "folded",
            [_info(i, data) for i, data in given.items()],
            [onnx.ValueInfoProto(name=o) for o in proto.output if o],
        )
        model = onnx.helper.make_model(graph, opset_imports=list(self._model.opset_import))
        try:
            with np.errstate(all="ignore"):
                outputs = ReferenceEvaluator(model).run(None, given)
        except Exception as error:  # whatever numpy says of values that do not fit
            raise Unsupported(f"constants that ONNX's reference refuses ({type(error).__name__})") from None
        made = dict(zip([o for o in proto.output if o], outputs, strict=False))
        values = []
        for output in proto.output:
            data = np.asarray(made.get(output, 0))
            if data.nbytes > MAX_TENSOR_BYTES:
                raise Unsupported("a constant that is too large")
            known = data.dtype.name in _KNOWN
            values.append(OnnxValue(output, data.shape, DType(data.dtype.name) if known else DType.FLOAT32, data))
        return tuple(values)

    def _bounded(self, proto: onnx.NodeProto, given: Mapping[str, Array]) -> None:
        """Checks the sizes of what is folded before it is computed, where a few numbers make large tensors.

        Raises:
            Unsupported: they are too large.
        """
        if proto.op_type not in ("ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "OneHot", "EyeLike"):
            return
        for data in given.values():
            if data.dtype.kind in "iu" and data.size and data.size <= 16:
                most = np.prod([max(1, abs(int(n))) for n in data.reshape(-1)], dtype=object)
                if most > MAX_TENSOR_BYTES:
                    raise Unsupported("a constant that is too large")
        if proto.op_type == "Range" and len(given) == 3:
            start, limit, delta = (float(np.asarray(d, np.float64).reshape(-1)[0]) for d in given.values())
            if delta == 0 or abs((limit - start) / delta) > MAX_TENSOR_BYTES:
                raise Unsupported("a constant that is too large")

    def _shape(self, proto: onnx.NodeProto, name: str, x: OnnxValue) -> tuple[OnnxValue, ...]:
        if name == "Size":
            data = np.array(int(np.prod(x.shape)), np.int64)
            return (OnnxValue("", (), DType.INT64, data),)
        start = next((a.i for a in proto.attribute if a.name == "start"), 0)
        end = next((a.i for a in proto.attribute if a.name == "end"), x.rank)
        data = np.array(x.shape[slice(start, end)], np.int64)
        return (OnnxValue("", data.shape, DType.INT64, data),)


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


def _type_of(value: OnnxValue) -> Any:
    import onnx

    kind = onnx.helper.np_dtype_to_tensor_dtype(
        value.dtype.numpy if value.data is None else value.data.dtype
    )
    return onnx.helper.make_tensor_type_proto(kind, value.shape)


def _info(name: str, data: Array) -> onnx.ValueInfoProto:
    import onnx

    kind = onnx.helper.np_dtype_to_tensor_dtype(data.dtype)
    return onnx.helper.make_tensor_value_info(name, kind, data.shape)


def _expanded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with operators that have no lowering, but a definition by others, replaced by that."""
    import onnx
    from onnx import inliner

    known = lowerings()
    wanted = set()
    for node in model.graph.node:
        if node.domain in _STANDARD and node.op_type not in known and onnx.defs.has(node.op_type):
            wanted.add((node.domain, node.op_type))
    if not wanted:
        return model
    try:
        return inliner.inline_selected_functions(model, sorted(wanted), inline_schema_functions=True)
    except Exception:  # then they are refused by name
        return model


def _uses(graph: onnx.GraphProto, constants: Mapping[str, Array]) -> Mapping[str, int]:
    """How often each name is read; "NAME@fully_connected": as the input of a layer with constant weights."""
    found: Counter[str] = Counter(entry.name for entry in graph.output)
    fixed = set(constants)
    for node in graph.node:
        found.update(name for name in node.input if name)
        found.update(_captured(node))
        if node.op_type in ("Constant", "DequantizeLinear", "Transpose") and all(i in fixed for i in node.input if i):
            fixed.update(node.output)
        if node.op_type in ("Gemm", "MatMul") and len(node.input) > 1 and node.input[1] in fixed:
            turned = any(a.name == "transA" and a.i for a in node.attribute)
            if not turned and node.input[0] != node.input[1]:
                found[f"{node.input[0]}@fully_connected"] += 1
    return found


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    """Names that the graphs of a node's attributes read."""
    for attribute in node.attribute:
        for graph in [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]:
            yield from (entry.name for entry in graph.output)
            for inner in graph.node:
                yield from (name for name in inner.input if name)
                yield from _captured(inner)


