"""TensorFlow Lite files (.tflite) -> Graph.

The file is read within bounds (flatbuffer, schema), each operator by its own reader (harness/ir/operators), variables
by states. Everything tinyhil does not compile is collected and refused in one message; the Graph is verified.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path

import numpy as np

from harness.errors import GraphError, ModelFileError, TinyhilError, UnsupportedModelError
from harness.files.reading import TooLargeError, read_regular
from harness.frontends.foreign import step_for
from harness.frontends.tflite.labels import output_labels
from harness.frontends.tflite.legacy import as_int8
from harness.frontends.tflite.operator import FileView
from harness.frontends.tflite.schema import (
    ASSIGN_VARIABLE,
    CALL_ONCE,
    READ_VARIABLE,
    VAR_HANDLE,
    FileOperator,
    FileSubgraph,
    FileTensor,
    as_array,
    read_model,
    unpacked,
)
from harness.frontends.tflite.states import Variables
from harness.ir.graph import ABSENT, Attrs, Graph, NoAttrs, Node, Tensor
from harness.ir.interpreter import compute
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import CUSTOM, Reader, Unsupported, damaged
from harness.ir.operators.traits import Trait
from harness.ir.verifier import MAX_TENSOR_BYTES, verify, verify_node
from harness.quantization.types import DType, Quantization

_VARIABLE_OPS = {
    VAR_HANDLE: "VAR_HANDLE",
    READ_VARIABLE: "READ_VARIABLE",
    ASSIGN_VARIABLE: "ASSIGN_VARIABLE",
    CALL_ONCE: "CALL_ONCE",
}
_MAX_FILE_BYTES = 64 << 20
_NUMBERS = frozenset({DType.INT32.value, DType.INT64.value, DType.BOOL.value})
"""Element types of shapes, indices and conditions, which are computed while the file is read where they are known."""
_FOLDED = "of shapes and constants alone, computed when the model was read"
_STATE = "state"
_MIN_SCALE = 1e-30  # smaller than any real scale; keeps ratios of scales finite in float32
_READABLE: dict[int | str, tuple[Operator, Reader, int | None]] = {
    operator.name if form.code == CUSTOM else form.code: (operator, form.read, form.options)
    for operator in OPERATORS.values()
    if (form := operator.tflite) is not None and form.read is not None
}
"""BuiltinOperator code, or a custom operator's name -> operator, its reader, and the type of its options."""
_SUPPORTED = ", ".join(sorted([*(operator.name for operator, _, _ in _READABLE.values()), *_VARIABLE_OPS.values()]))


def load(source: str | os.PathLike[str] | bytes, *, name: str | None = None) -> Graph:
    """Reads a .tflite file (a path, or its bytes) into a verified Graph.

    Graph.name is `name`, or the file's stem, or "model".

    Raises:
        ModelFileError: no such file, not a .tflite file, or a damaged one.
        UnsupportedModelError: it uses what tinyhil does not compile; the message lists all of it with counts.
        GraphError: shapes, types or quantization break a rule of the verifier.
    """
    if isinstance(source, bytes):
        data, place = source, name or "model"
    else:
        path = Path(source)
        data, place = _read(path), str(path)
        name = name or path.stem
    graph = _Reader(as_int8(data, place), place).graph(name or "model")
    graph = replace(graph, sha256=hashlib.sha256(data).hexdigest())
    try:
        verify(graph)
    except GraphError as error:
        raise GraphError(f"{place}: {error.message}", hint=error.hint, details=error.details) from None
    return graph


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, _MAX_FILE_BYTES)
    except TooLargeError as error:
        raise ModelFileError(
            f"{path}: {error.strerror}, which is more than tinyhil reads",
            hint="give a model that is meant for a microcontroller",
        ) from None
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror or error}", hint="check the path and its permissions") from None


@dataclass
class _Problems:
    """Operators, types and features that tinyhil does not compile, with counts, in order of appearance."""

    operators: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    def error(self, place: str) -> UnsupportedModelError | None:
        """One error for all of them; None when there are none."""
        groups = [
            (title, ", ".join(f"{what} x{n}" for what, n in counter.items()))
            for title, counter in (
                ("operators", self.operators),
                ("types", self.types),
                ("features", self.features),
            )
            if counter
        ]
        if not groups:
            return None
        hint = step_for(self.operators, self.types, self.pairs, self.features) or (
            "tinyhil compiles int8, int16x8 and float32 (`tinyhil analyze --ops`), and the operators " + _SUPPORTED
        )
        return UnsupportedModelError(
            f"{place}: not supported: " + "; ".join(f"{title}: {text}" for title, text in groups), hint=hint
        )


class _Reader:
    """One pass over the operators of subgraph 0."""

    def __init__(self, data: bytes, place: str) -> None:
        self._data = data
        self._place = place
        self._subgraphs: tuple[FileSubgraph, ...] = read_model(data, place)
        self._main = self._subgraphs[0]
        self._file_tensors = list(self._main.tensors)
        self._removed: list[tuple[int, str]] = []
        self._tensors: dict[int, Tensor] = {}
        self._ids: dict[int, int] = {}
        self._used: list[Tensor] = []
        self._types_counted: set[int] = set()
        self._problems = _Problems()
        self._variables = Variables()
        self._axes: dict[int, int] = {}
        self._biases: set[int] = set()

    def graph(self, name: str) -> Graph:
        """The Graph of the file, not yet verified.

        Raises:
            ModelFileError: the file is damaged.
            UnsupportedModelError: it uses something that tinyhil does not compile.
        """
        main = self._main
        self._find_weights()
        nodes: list[Node] = []
        names: list[str] = []
        for t in main.inputs + main.outputs:
            self._check_type(t, frozenset(DType), "input or output")
        for op in main.operators:
            names.append(self._name(op))
            pair = self._pair(op)
            self._problems.pairs |= set() if pair is None else {pair}
            node = self._operator(op)
            if node is not None:
                nodes.append(node)
        error = self._problems.error(self._place)
        if error is not None:
            raise error
        states = self._variables.states(self._place)
        inputs = tuple(self._id(t) for t in main.inputs)
        outputs = tuple(self._id(t) for t in main.outputs)
        return Graph(
            name=name,
            tensors=tuple(self._used),
            nodes=tuple(nodes),
            inputs=inputs,
            outputs=outputs,
            states=states,
            model=self._data,
            source_ops=tuple(names),
            removed=tuple(self._removed),
            labels=self._labels(),
        )

    def _labels(self) -> tuple[tuple[str, ...], ...]:
        """Per output the labels of its last axis; () where there are none, or another number of them."""
        found = output_labels(self._data, self._place)
        shapes = [self._main.tensors[t].shape for t in self._main.outputs]
        padded = found + ((),) * (len(shapes) - len(found))
        return tuple(
            labels if shape and len(labels) == shape[-1] else () for labels, shape in zip(padded, shapes, strict=False)
        )

    def _name(self, op: FileOperator) -> str:
        if op.key in _READABLE:
            return _READABLE[op.key][0].name
        return _VARIABLE_OPS.get(op.code) or op.name

    def _operator(self, op: FileOperator) -> Node | None:
        """The node of one operator; None when it needs none, or something in it is not supported, which is counted."""
        name = self._name(op)
        try:
            if op.code in _VARIABLE_OPS:
                return self._variable(name, op)
            if op.key not in _READABLE:
                self._problems.operators[name] += 1
                self._count_types(op)
                return None
            operator, read, options = _READABLE[op.key]
            if options is not None and op.options_type not in (0, options):
                raise damaged(f"{op.place}: options of type {op.options_type} for {name}")
            return self._plain(operator, read, op)
        except Unsupported as missing:
            self._problems.features[f"{name} with {missing}" if op.code != CALL_ONCE else f"{name} {missing}"] += 1
            return None

    def _plain(self, operator: Operator, read: Reader, op: FileOperator) -> Node | None:
        sound = self._check_types(operator, op)
        try:
            inputs, attrs = read(FileView(operator.name, op, self._file_tensors, self._tensor))
        except TinyhilError:
            if sound:
                raise
            return None  # a consequence of the type, which is reported
        if not sound:
            return None
        if self._folds(operator, op, inputs):
            self._fold(operator, op, inputs, attrs)
            return None
        return self._node(operator, op, inputs, attrs, self._states(operator, op, inputs, attrs))

    def _states(
        self, operator: Operator, op: FileOperator, inputs: tuple[int, ...], attrs: Attrs
    ) -> tuple[int, ...]:
        """The states of an operator that keeps some, in variable tensors or for itself."""
        assert operator.tflite is not None
        if operator.tflite.unnamed is not None:
            reads, writes = ([self._tensor(t) for t in ids if t != ABSENT] for ids in (inputs, op.outputs))
            made = operator.tflite.unnamed(reads, writes, attrs)
            return tuple(self._variables.unnamed(state, op.index, place) for place, state in enumerate(made))
        tensors = [op.inputs[i] for i in operator.tflite.states if i < len(op.inputs)]
        if len(tensors) != operator.states or ABSENT in tensors:
            raise damaged(f"{op.place}: {operator.name} without its states")
        return tuple(self._variables.kept(self._tensor(t), t) for t in tensors)

    # --- shape arithmetic --------------------------------------------------------------------------------------------

    def _folds(self, operator: Operator, op: FileOperator, inputs: tuple[int, ...]) -> bool:
        """Whether an operator computes numbers, of shapes or constants, that later operators may take as operands."""
        counts = all(self._file_tensors[t].type in _NUMBERS for t in op.outputs)
        known = all(t == ABSENT or self._file_tensors[t].data is not None for t in inputs)
        return counts and not operator.stateful and (known or operator.has(Trait.OF_SHAPE))

    def _fold(self, operator: Operator, op: FileOperator, inputs: tuple[int, ...], attrs: Attrs) -> None:
        """Makes an operator's outputs constants of the file.

        Raises:
            GraphError: the node breaks a rule of the verifier.
        """
        tensors = tuple(self._tensor(t) for t in (*inputs, *op.outputs) if t != ABSENT)
        ids = iter(range(len(tensors)))
        node = Node(
            operator.name,
            tuple(ABSENT if t == ABSENT else next(ids) for t in inputs),
            tuple(next(ids) for _ in op.outputs),
            attrs,
            (op.index,),
        )
        alone = Graph("", tensors, (node,), (), ())
        verify_node(alone, 0)
        for t, values in zip(op.outputs, compute(alone, node), strict=True):
            raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
            self._file_tensors[t] = replace(self._file_tensors[t], data=raw)
            self._tensors.pop(t, None)
        self._removed.append((op.index, _FOLDED))

    def _node(
        self, operator: Operator, op: FileOperator, inputs: tuple[int, ...], attrs: Attrs, states: tuple[int, ...]
    ) -> Node:
        ids = tuple(ABSENT if t == ABSENT else self._id(t) for t in inputs)
        return Node(operator.name, ids, tuple(self._id(t) for t in op.outputs), attrs, (op.index,), states)

    def _variable(self, name: str, op: FileOperator) -> Node | None:
        if op.code == VAR_HANDLE:
            self._variables.handle(op, self._main)
            return None
        if op.code == CALL_ONCE:
            self._variables.call_once(op, self._subgraphs)
            return None
        inputs: tuple[int, ...] = ()
        if op.code == READ_VARIABLE:
            state, value = self._variables.read(op), op.outputs[0]
        else:
            state, value = self._variables.assign(op)
            inputs = (value,)
        held = frozenset(types.x for types in OPERATORS[name].types)
        if not self._check_type(value, held, "variable"):
            return None
        self._variables.values.setdefault(state, self._tensor(value))
        return self._node(OPERATORS[name], op, inputs, NoAttrs(), (state,))

    # --- element types -----------------------------------------------------------------------------------------------

    def _check_types(self, operator: Operator, op: FileOperator) -> bool:
        """Whether all data of an operator has types that tinyhil compiles; counts types that it does not."""
        sound = True
        for i, t in enumerate(op.inputs):
            role, allowed = _role(operator, i)
            if t != ABSENT and role:
                sound &= self._check_type(t, allowed, role)
        for i, t in enumerate(op.outputs):
            sound &= self._check_type(t, frozenset(types.made(i) for types in operator.types), "activation")
        return sound and self._check_weights(operator, op)

    def _check_weights(self, operator: Operator, op: FileOperator) -> bool:
        """Whether weights are of a type that goes with the activations'; counts those that are not."""
        pair = self._pair(op)
        if pair is None or not operator.has(Trait.WEIGHTS):
            return True
        sound = pair in {(types.x.value, types.weights.value) for types in operator.types if types.weights is not None}
        if not sound:
            self._problems.types[f"{pair[0]} activations with {pair[1]} weights"] += 1
        return sound

    def _count_types(self, op: FileOperator) -> None:
        """Counts the types of an operator that is not supported; an int32 constant may be a shape, axis or bias."""
        for t in (*op.inputs, *op.outputs):
            if t != ABSENT and self._main.tensors[t].data is None:
                self._check_type(t, frozenset({DType.INT8}), "activation")
            elif t != ABSENT:
                self._check_type(t, frozenset({DType.INT8, DType.INT32}), "weight")

    def _pair(self, op: FileOperator) -> tuple[str, str] | None:
        """The types of an operator's activations and of its constant weights; None without weights."""
        form = _READABLE[op.key][0].tflite if op.key in _READABLE else None
        places = form.data[:2] if form is not None and form.data is not None else (0, 1)
        if max(places) >= len(op.inputs) or any(op.inputs[i] == ABSENT for i in places):
            return None
        x, w = (self._file_tensors[op.inputs[i]] for i in places)
        return None if w.data is None else (x.type, w.type)

    def _check_type(self, t: int, allowed: frozenset[DType], role: str) -> bool:
        tensor = self._file_tensors[t]
        odd = tensor.odd
        if tensor.variable and role != _STATE:
            odd = "variable tensors (state kept in place) of operators that keep none"
        elif role == _STATE and (not tensor.variable or tensor.data is not None):
            odd = "states that are constants" if tensor.data is not None else "states in tensors that are no variables"
        sound = tensor.type in {d.value for d in allowed} and not odd
        if not sound and t not in self._types_counted:
            self._types_counted.add(t)
            if odd:
                self._problems.features[odd] += 1
            else:
                plural = {"bias": "biases", "input or output": "inputs or outputs"}.get(role, f"{role}s")
                self._problems.types[f"{tensor.type} {plural}"] += 1
        return sound

    # --- tensors -----------------------------------------------------------------------------------------------------

    def _find_weights(self) -> None:
        """Records along which axis each weight tensor has its output channels, and which tensors are biases.

        TFLM takes per-channel scales in the order of output channels, and of the file's quantized_dimension only that
        it is as long; some published files say it wrongly. Of a bias it takes the first scale, and no dimension.

        Weights of int4 are unpacked: TFLM computes with them as with int8.
        """
        for op in self._main.operators:
            operator = _READABLE[op.key][0] if op.key in _READABLE else None
            if operator is None or operator.channel_axis is None or operator.tflite is None:
                continue
            _, weights, bias = operator.tflite.data or (0, 1, 2)
            if weights < len(op.inputs):
                t = op.inputs[weights]
                self._axes[t] = operator.channel_axis
                if t != ABSENT:
                    self._file_tensors[t] = unpacked(self._file_tensors[t])
            self._biases.update(op.inputs[bias : bias + 1])

    def _id(self, t: int) -> int:
        """Id in the Graph of a tensor of the file."""
        if t not in self._ids:
            tensor = self._tensor(t)
            self._ids[t] = len(self._used)
            self._used.append(tensor)
        return self._ids[t]

    def _tensor(self, t: int) -> Tensor:
        if t not in self._tensors:
            is_bias = t in self._biases and t not in self._axes
            self._tensors[t] = _build(self._file_tensors[t], self._axes.get(t), is_bias)
        return self._tensors[t]


def _role(operator: Operator, i: int) -> tuple[str, frozenset[DType]]:
    """Role of an input for messages, and its allowed types; "" for an operand, which its reader resolves."""
    assert operator.tflite is not None
    if i in operator.tflite.operands:
        return "", frozenset()
    if i in operator.tflite.states:
        which = operator.tflite.states.index(i)
        return _STATE, frozenset(types.states[which] for types in operator.types)
    data = operator.tflite.data
    if data is not None and i not in data:
        return "", frozenset()
    place = i if data is None else data.index(i)
    if operator.has(Trait.WEIGHTS) and place > 0:
        kinds = {types.weights if place == 1 else types.bias for types in operator.types}
        return "weight" if place == 1 else "bias", frozenset(kind for kind in kinds if kind is not None)
    return "activation", frozenset(types.data(place) for types in operator.types)


def _build(tensor: FileTensor, channel_axis: int | None, is_bias: bool) -> Tensor:
    """The Graph's tensor of a tensor of the file.

    Raises:
        ModelFileError: its shape is impossible, or its data has another length.
    """
    if any(n < 1 for n in tensor.shape):
        raise damaged(f"{tensor.place}: shape {list(tensor.shape)}")
    try:
        dtype = DType(tensor.type)
    except ValueError:
        raise damaged(f"{tensor.place}: element type {tensor.type} where tinyhil needs another") from None
    if prod(tensor.shape) * dtype.size > MAX_TENSOR_BYTES:
        raise ModelFileError(
            f"{tensor.place}: shape {list(tensor.shape)} needs more than {MAX_TENSOR_BYTES} bytes",
            hint="no microcontroller holds such a tensor; if the model is smaller than that, the file is damaged",
        )
    data = as_array(tensor, dtype.value, tensor.shape)
    quant = _quantization(tensor, channel_axis, is_bias)
    return Tensor(tensor.name, tensor.shape, dtype, quant, data, tensor.index)


def _quantization(tensor: FileTensor, channel_axis: int | None, is_bias: bool) -> Quantization | None:
    scales, zero_points = tensor.scales, tensor.zero_points
    if not scales or not zero_points:
        return None
    if len(zero_points) != len(scales):
        if len(zero_points) != 1:
            raise damaged(f"{tensor.place}: {len(scales)} scales, but {len(zero_points)} zero points")
        zero_points = zero_points * len(scales)
    if not all(s == 0 or _MIN_SCALE <= s <= 1 / _MIN_SCALE for s in scales):
        raise damaged(f"{tensor.place}: quantization scales that are negative, not finite or absurd")
    if len(scales) == 1:
        return Quantization(scales, zero_points)
    if is_bias:
        return Quantization(scales, zero_points, 0)
    if not 0 <= tensor.axis < len(tensor.shape) or tensor.shape[tensor.axis] != len(scales):
        raise damaged(
            f"{tensor.place}: {len(scales)} scales along dimension {tensor.axis} of shape {list(tensor.shape)}"
        )
    return Quantization(scales, zero_points, tensor.axis if channel_axis is None else channel_axis)
