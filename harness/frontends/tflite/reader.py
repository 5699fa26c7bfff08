"""TensorFlow Lite files (.tflite) -> Graph.

The file is read within bounds (flatbuffer, schema), each operator by its own reader (harness/ir/operators), variables
by states. Everything tinyhil does not compile is collected and refused in one message; the Graph is verified.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from harness.errors import GraphError, TinyhilError
from harness.ethosu.payload import CUSTOM_CODE
from harness.frontends.model_file import read_model_file
from harness.frontends.tflite.element_types import ANY, TypeCheck
from harness.frontends.tflite.labels import output_labels
from harness.frontends.tflite.legacy import as_int8
from harness.frontends.tflite.operator import FileView
from harness.frontends.tflite.origin import origin_note
from harness.frontends.tflite.problems import Problems
from harness.frontends.tflite.rounding import file_roundings, rounding_notes
from harness.frontends.tflite.schema import (
    ASSIGN_VARIABLE,
    CALL_ONCE,
    READ_VARIABLE,
    VAR_HANDLE,
    FileOperator,
    FileSubgraph,
    FileTensor,
    read_model,
    unpacked,
)
from harness.frontends.tflite.states import Variables
from harness.frontends.tflite.tensors import build_tensor
from harness.frontends.tflite.vela_file import arena_offsets
from harness.frontends.tflite.vela_gaps import verified
from harness.frontends.tflite.widened import widened
from harness.ir.graph import ABSENT, Attrs, Graph, NoAttrs, Node, Tensor
from harness.ir.interpreter import compute
from harness.ir.operators import OPERATORS
from harness.ir.operators.operator import Operator
from harness.ir.operators.tflite import CUSTOM, Reader, Unsupported, damaged
from harness.ir.operators.traits import Trait
from harness.ir.verifier import verify_node
from harness.quantization.types import DType, Rounding

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
_NO_STATES = "states in a subgraph, where tinyhil keeps none"
_NO_BLOCK = "an arena of its own in a subgraph, which IF and WHILE run"
_READABLE: dict[int | str, tuple[Operator, Reader, int | None]] = {
    operator.name if form.code == CUSTOM else form.code: (operator, form.read, form.options)
    for operator in OPERATORS.values()
    if (form := operator.tflite) is not None and form.read is not None and not form.dynamic_of
}
"""BuiltinOperator code, or a custom operator's name -> operator, its reader, and the type of its options."""
_DYNAMIC = {form.dynamic_of: operator for operator in OPERATORS.values() if (form := operator.tflite) is not None}
"""Operator with weights -> the one that it is where they are computed at run time."""
_SUPPORTED = sorted([*(operator.name for operator, _, _ in _READABLE.values()), *_VARIABLE_OPS.values()])
_MOST_WITHIN = 256
"""Graphs within the graph: each IF and WHILE has two, and may stand in a graph that several others run."""


def load(source: str | os.PathLike[str] | bytes, *, name: str | None = None, widen: bool = False) -> Graph:
    """Reads a .tflite file (a path, or its bytes) into a verified Graph.

    Graph.name is `name`, or the file's stem, or "model". With `widen` weights of float layers that are stored in fewer
    bits are float32 (widened.py).

    Raises:
        ModelFileError: no such file, not a .tflite file, or a damaged one.
        UnsupportedModelError: it uses what tinyhil does not compile; the message lists all of it with counts.
        GraphError: shapes, types or quantization break a rule of the verifier.
    """
    if isinstance(source, bytes):
        data, place = source, name or "model"
    else:
        path = Path(source)
        data, place = read_file(path), str(path)
        name = name or path.stem
    taken = data if widen else as_int8(data, place)
    subgraphs = read_model(taken, place)
    graph = _Reader(taken, place, tuple(map(widened, subgraphs)) if widen else subgraphs).graph(name or "model")
    graph = replace(graph, sha256=hashlib.sha256(data).hexdigest())
    try:
        return verified(graph, place)
    except GraphError as error:
        raise GraphError(f"{place}: {error.message}", hint=error.hint, details=error.details) from None


def read_file(path: Path) -> bytes:
    """The bytes of a .tflite file.

    Raises:
        ModelFileError: there is no such file, or it is far too large.
    """
    return read_model_file(path, _MAX_FILE_BYTES)


class _CountedError(Exception):
    """A subgraph uses what tinyhil does not compile, which is counted."""


class _Reader:
    """One pass over the operators of a subgraph."""

    def __init__(
        self,
        data: bytes,
        place: str,
        subgraphs: tuple[FileSubgraph, ...],
        outer: _Reader | None = None,
        number: int = 0,
    ) -> None:
        """Of the main subgraph; or of subgraph `number`, which an operator of `outer` runs."""
        self._data = data
        self._place = place
        self._subgraphs = subgraphs
        self._path: tuple[int, ...] = (*outer._path, number) if outer else (number,)
        self._within: list[int] = outer._within if outer else []
        self._within_counted = False
        self._known: frozenset[int] = frozenset()
        self._main = self._subgraphs[number]
        self._file_tensors = list(self._main.tensors)
        self._removed: list[tuple[int, str]] = []
        self._tensors: dict[int, Tensor] = {}
        self._ids: dict[int, int] = {}
        self._used: list[Tensor] = []
        self._problems: Problems = outer._problems if outer else Problems()
        self._types = TypeCheck(self._file_tensors, self._problems)
        self._variables = Variables()
        self._roundings = {} if outer else file_roundings(data, place, len(self._main.operators))
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
            self._types.check(t, ANY, "input or output")
        for op in main.operators:
            names.append(self._name(op))
            pair = self._types.pair(op, _READABLE[op.key][0] if op.key in _READABLE else None)
            self._problems.pairs |= set() if pair is None else {pair}
            node = self._operator(op)
            if node is not None:
                nodes.append(node)
        error = self._problems.error(self._place, _SUPPORTED)
        if error is not None:
            raise error if self._is_main else _CountedError
        states = self._variables.states(self._place)
        inputs = tuple(self._id(t) for i, t in enumerate(main.inputs) if i not in self._known)
        outputs = tuple(self._id(t) for t in main.outputs)
        if not self._is_main:
            return Graph(name, tuple(self._used), tuple(nodes), inputs, outputs)
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
            notes=(*self._pinned(), *self._origin(), *rounding_notes(self._roundings)),
        )

    def _pinned(self) -> Iterator[str]:
        """What is taken for the sizes that the file leaves open."""
        for t in self._main.inputs:
            tensor = self._file_tensors[t]
            if -1 in tensor.signature and len(tensor.signature) == len(tensor.shape):
                left = "x".join("?" if n == -1 else str(n) for n in tensor.signature)
                yield f"input '{tensor.name}' is {left} in the file, taken as {'x'.join(map(str, tensor.shape))}"

    def _origin(self) -> Iterator[str]:
        """How tinyhil quantized the file."""
        note = origin_note(self._data, self._place)
        if note:
            yield note

    @property
    def _is_main(self) -> bool:
        return len(self._path) == 1

    def _subgraph(self, number: int, known: Mapping[int, int]) -> Graph:
        """The Graph of a subgraph that an operator runs; an empty one where it uses what tinyhil does not compile.

        known: inputs by position that are constants of this subgraph.

        Raises:
            ModelFileError: there is no such subgraph, it runs itself, or a constant is not like its input.
            Unsupported: there are too many.
        """
        if not 0 < number < len(self._subgraphs) or number in self._path:
            raise damaged(f"{self._main.place}: subgraph {number} of {len(self._subgraphs)} in {list(self._path)}")
        self._within.append(number)
        if len(self._within) > _MOST_WITHIN:
            raise Unsupported(f"more than {_MOST_WITHIN} subgraphs within each other")
        reader = _Reader(self._data, self._place, self._subgraphs, self, number)
        reader._know({i: self._file_tensors[t] for i, t in known.items()})
        try:
            return reader.graph(f"subgraph {number}")
        except _CountedError:
            self._within_counted = True
            return Graph("", (), (), (), ())

    def _know(self, known: Mapping[int, FileTensor]) -> None:
        """Makes inputs of this subgraph constants."""
        for position, constant in known.items():
            if position >= len(self._main.inputs):
                raise damaged(f"{self._main.place}: no input {position}, of {len(self._main.inputs)}")
            t = self._main.inputs[position]
            own = self._file_tensors[t]
            if (own.type, own.shape) != (constant.type, constant.shape):
                raise damaged(f"{own.place}: {own.type}{list(own.shape)} of {constant.type}{list(constant.shape)}")
            self._file_tensors[t] = replace(own, data=constant.data)
        self._known = frozenset(known)

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
                self._types.count(op)
                return None
            operator, read, options = _READABLE[op.key]
            if operator.name in _DYNAMIC and self._is_dynamic(op):
                operator = _DYNAMIC[operator.name]
                assert operator.tflite is not None and operator.tflite.read is not None
                read = operator.tflite.read
            if options is not None and op.options_type not in (0, options):
                raise damaged(f"{op.place}: options of type {op.options_type} for {name}")
            return self._plain(operator, read, op)
        except Unsupported as missing:
            self._problems.features[f"{name} with {missing}" if op.code != CALL_ONCE else f"{name} {missing}"] += 1
            return None

    def _is_dynamic(self, op: FileOperator) -> bool:
        """Whether weights or a bias are computed at run time."""
        return any(self._file_tensors[t].data is None for t in op.inputs[1:] if t != ABSENT)

    def _plain(self, operator: Operator, read: Reader, op: FileOperator) -> Node | None:
        sound = self._types.sound(operator, op)
        try:
            view = FileView(
                operator.name,
                op,
                self._file_tensors,
                self._tensor,
                self._subgraphs,
                self._subgraph,
                layout=lambda: self._layout,
                read_later=self._is_read,
            )
            inputs, attrs = read(view)
        except TinyhilError:
            if sound:
                raise
            return None  # a consequence of the type, which is reported
        if not sound or self._within_counted:
            return None
        if view.given or view.dropped:
            op = self._without(op, view.given, view.dropped)
        if self._folds(operator, op, inputs):
            self._fold(operator, op, inputs, attrs)
            return None
        return self._node(operator, op, inputs, attrs, self._states(operator, op, inputs, attrs))

    def _states(
        self, operator: Operator, op: FileOperator, inputs: tuple[int, ...], attrs: Attrs
    ) -> tuple[int, ...]:
        """The states of an operator that keeps some, in variable tensors or for itself."""
        assert operator.tflite is not None
        if operator.states != 0 and not self._is_main:
            raise Unsupported(_NO_STATES if operator.states else _NO_BLOCK)
        if operator.tflite.unnamed is not None:
            reads, writes = ([self._tensor(t) for t in ids if t != ABSENT] for ids in (inputs, op.outputs))
            made = operator.tflite.unnamed(reads, writes, attrs)
            return tuple(self._variables.unnamed(state, op.index, place) for place, state in enumerate(made))
        tensors = [op.inputs[i] for i in operator.tflite.states if i < len(op.inputs)]
        if operator.states is None:
            tensors = [t for t in op.inputs if self._file_tensors[t].variable]
        elif len(tensors) != operator.states or ABSENT in tensors:
            raise damaged(f"{op.place}: {operator.name} without its states")
        return tuple(self._variables.kept(self._tensor(t), t) for t in tensors)

    @cached_property
    def _layout(self) -> tuple[int, ...]:
        return arena_offsets(self._data, self._place, len(self._main.tensors))

    def _is_read(self, t: int, index: int) -> bool:
        """Whether something reads what operator `index` writes to a tensor, before another one writes to it, too."""
        for op in self._main.operators[index + 1 :]:
            if t in op.inputs:
                return True
            if t in op.outputs:
                return False
        return t in self._main.outputs

    def _without(self, op: FileOperator, given: Mapping[int, int], dropped: Collection[int]) -> FileOperator:
        """The operator without outputs that are constants, which they become, or that nothing reads."""
        for t, constant in given.items():
            self._file_tensors[t] = replace(self._file_tensors[t], data=self._file_tensors[constant].data)
            self._tensors.pop(t, None)
        return replace(op, outputs=tuple(t for t in op.outputs if t not in given and t not in dropped))

    # --- shape arithmetic --------------------------------------------------------------------------------------------

    def _folds(self, operator: Operator, op: FileOperator, inputs: tuple[int, ...]) -> bool:
        """Whether an operator computes, of constants or shapes, what later ones may take as operands or weights.

        What TFLM's host may compute otherwise in the last place stays a layer.
        """
        counts = all(self._file_tensors[t].type in _NUMBERS for t in op.outputs)
        known = all(t == ABSENT or self._file_tensors[t].data is not None for t in inputs)
        exact = counts or operator.ulp == 0
        return not operator.stateful and ((known and exact) or (counts and operator.has(Trait.OF_SHAPE)))

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
            rounding=self._rounding(op),
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
        sources = (op.index,) if self._is_main else ()
        outputs = tuple(self._id(t) for t in op.outputs)
        return Node(operator.name, ids, outputs, attrs, sources, states, self._rounding(op))

    def _rounding(self, op: FileOperator) -> Rounding:
        return self._roundings.get(op.index, Rounding.TFLM)

    def _variable(self, name: str, op: FileOperator) -> Node | None:
        if not self._is_main:
            raise Unsupported(_NO_STATES)
        if op.code == VAR_HANDLE:
            self._variables.handle(op, self._main)
            return None
        if op.code == CALL_ONCE:
            moved = any(other.custom == CUSTOM_CODE for other in self._main.operators)  # Vela does not keep it first
            self._variables.call_once(op, self._subgraphs, moved=moved)
            return None
        inputs: tuple[int, ...] = ()
        if op.code == READ_VARIABLE:
            state, value = self._variables.read(op), op.outputs[0]
        else:
            state, value = self._variables.assign(op)
            inputs = (value,)
        held = frozenset(types.x for types in OPERATORS[name].types)
        if not self._types.check(value, held, "variable"):
            return None
        self._variables.values.setdefault(state, self._tensor(value))
        return self._node(OPERATORS[name], op, inputs, NoAttrs(), (state,))

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
            tensor = build_tensor(self._file_tensors[t], self._axes.get(t), is_bias)
            self._tensors[t] = tensor if self._is_main else replace(tensor, source=None)
        return self._tensors[t]
