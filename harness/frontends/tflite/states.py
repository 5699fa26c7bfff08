"""The Graph's states of a .tflite file: variables, known by VAR_HANDLE and CALL_ONCE, and variable tensors.

A variable is known by its container and shared name. Its value before the first inference is what the subgraph run by
CALL_ONCE assigns; a variable that is not initialized starts as its zero point (TFLM, micro_resource_variable.cc). A
variable tensor, which an operator keeps for itself, starts as that of int8, or as zeros
(MicroInterpreterGraph::ResetVariableTensors).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from harness.frontends.tflite.schema import (
    ASSIGN_VARIABLE,
    RESOURCE,
    VAR_HANDLE,
    FileOperator,
    FileSubgraph,
    FileTensor,
    as_array,
)
from harness.ir.graph import ABSENT, State, Tensor
from harness.ir.operators.tflite import Unsupported, damaged
from harness.quantization.types import Array, DType, Quantization

Key: TypeAlias = tuple[str, str] | tuple[int, int] | int
"""Container and shared name of a variable, the id of a variable tensor, or operator and number of an unnamed state."""

_VAR_HANDLE_OPTIONS = 111
_CALL_ONCE_OPTIONS = 103
MAX_STATE_BYTES = 1 << 24


@dataclass
class Variables:
    """The states of a file while it is being read.

    Attributes:
        initial: the values that CALL_ONCE assigns, by variable.
        order: variables in the order of their handles in subgraph 0, and variable tensors and unnamed states in that
            of their operators; a place is the state's index.
        handles: variable of each resource tensor of subgraph 0 met so far.
        used: whether a variable was read or assigned yet in subgraph 0.
        values: by state, a tensor read from or assigned to it, or the variable tensor itself.
        own: by state, those that operators make for themselves.
    """

    initial: dict[Key, Array] = field(default_factory=dict)
    order: list[Key] = field(default_factory=list)
    handles: dict[int, Key] = field(default_factory=dict)
    used: bool = False
    values: dict[int, Tensor] = field(default_factory=dict)
    own: dict[int, State] = field(default_factory=dict)

    def unnamed(self, state: State, operator: int, number: int) -> int:
        """Index of a state that operator `operator` of subgraph 0 makes for itself, its `number`th."""
        self.order.append((operator, number))
        self.own[len(self.order) - 1] = state
        return len(self.order) - 1

    def kept(self, tensor: Tensor, index: int) -> int:
        """State of variable tensor `index` of subgraph 0."""
        if index not in self.order:
            self.order.append(index)
            self.values[len(self.order) - 1] = tensor
        return self.order.index(index)

    def handle(self, op: FileOperator, main: FileSubgraph) -> None:
        """Records a VAR_HANDLE of subgraph 0."""
        key, tensor = _handle(op, main)
        if key not in self.order:
            self.order.append(key)
        self.handles[tensor] = key

    def call_once(self, op: FileOperator, subgraphs: tuple[FileSubgraph, ...], *, moved: bool) -> None:
        """Records the assignments of the subgraph that a CALL_ONCE of subgraph 0 runs; `moved`: it was the first."""
        if self.used and not moved:
            raise Unsupported("after a variable was used")
        which = op.options.integer(4) if op.options_type == _CALL_ONCE_OPTIONS else 0
        if op.inputs or op.outputs or not 0 < which < len(subgraphs):
            raise damaged(f"{op.place}: CALL_ONCE of subgraph {which}, of {len(subgraphs)}")
        handles: dict[int, Key] = {}
        for init in subgraphs[which].operators:
            if init.code == VAR_HANDLE:
                key, tensor = _handle(init, subgraphs[which])
                handles[tensor] = key
            elif init.code == ASSIGN_VARIABLE:
                key, value = self._assignment(init, handles)
                self.initial[key] = _constant(subgraphs[which].tensors[value])
            else:
                raise Unsupported(f"of a subgraph with {init.name}")

    def _assignment(self, op: FileOperator, handles: dict[int, Key]) -> tuple[Key, int]:
        if len(op.inputs) != 2 or op.outputs or op.inputs[0] not in handles or op.inputs[1] == ABSENT:
            raise damaged(f"{op.place}: ASSIGN_VARIABLE {op.inputs} -> {op.outputs}")
        return handles[op.inputs[0]], op.inputs[1]

    def assign(self, op: FileOperator) -> tuple[int, int]:
        """(state index, value's tensor id) of an ASSIGN_VARIABLE of subgraph 0."""
        self.used = True
        key, value = self._assignment(op, self.handles)
        return self.order.index(key), value

    def read(self, op: FileOperator) -> int:
        """State index of a READ_VARIABLE of subgraph 0."""
        self.used = True
        if len(op.inputs) != 1 or len(op.outputs) != 1 or op.inputs[0] not in self.handles:
            raise damaged(f"{op.place}: READ_VARIABLE {op.inputs} -> {op.outputs}")
        return self.order.index(self.handles[op.inputs[0]])

    def states(self, place: str) -> tuple[State, ...]:
        """The Graph's states."""
        return tuple(self._state(i, key, place) for i, key in enumerate(self.order))

    def _state(self, number: int, key: Key, place: str) -> State:
        if number in self.own:
            return self.own[number]
        like, initial = self.values.get(number), self.initial.get(key)
        name = str(key[1]) if isinstance(key, tuple) else "" if like is None else like.name
        if initial is None:
            if like is None:
                raise damaged(f"{place}: variable '{name}' is neither initialized nor used")
            if like.bytes > MAX_STATE_BYTES:
                raise damaged(f"{place}, variable '{name}': {like.bytes} bytes")
            start = _default if isinstance(key, tuple) else initial_of
            initial = start(like.shape, like.dtype, like.quant)
        return State(name or f"variable {number}", DType(initial.dtype.name), initial, like.quant if like else None)


def _handle(op: FileOperator, subgraph: FileSubgraph) -> tuple[Key, int]:
    if (
        any(subgraph.tensors[t].type != RESOURCE for t in op.outputs)
        or op.options_type != _VAR_HANDLE_OPTIONS
        or op.inputs
        or len(op.outputs) != 1
    ):
        raise damaged(f"{op.place}: VAR_HANDLE {op.inputs} -> {op.outputs}")
    key = op.options.text(4, "container"), op.options.text(6, "shared name")
    return key, op.outputs[0]


def _constant(tensor: FileTensor) -> Array:
    if tensor.odd:
        raise Unsupported(f"with an initial value in {tensor.odd}")
    if tensor.type not in {dtype.value for dtype in DType}:
        raise Unsupported(f"with a {tensor.type} initial value")
    values = as_array(tensor, tensor.type, tensor.shape)
    if values is None:
        raise Unsupported("with an initial value computed at run time")
    return values


def _default(shape: tuple[int, ...], dtype: DType, quant: Quantization | None) -> Array:
    """The initial value of a variable that the file does not initialize: TFLM sets every byte to the zero point."""
    byte = 0 if quant is None else quant.zero_point & 0xFF
    values: Array = np.full((*shape, dtype.size), byte, np.uint8).view(dtype.numpy).reshape(shape)
    values.flags.writeable = False
    return values


def initial_of(shape: tuple[int, ...], dtype: DType, quant: Quantization | None) -> Array:
    """The initial value of a variable tensor, as in TFLM: the zero point of int8, else 0."""
    low, high = dtype.range
    zero_point = 0 if quant is None or dtype is not DType.INT8 else quant.zero_point
    values: Array = np.full(shape, min(max(zero_point, low), high), dtype.numpy)
    values.flags.writeable = False
    return values
