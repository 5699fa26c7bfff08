"""The element types of a .tflite file's tensors, by what operators are computed with; what differs is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.frontends.tflite.problems import Problems
from harness.frontends.tflite.schema import FileOperator, FileTensor
from harness.ir.graph import ABSENT
from harness.ir.operators.operator import Operator
from harness.ir.operators.traits import Trait
from harness.quantization.types import DType

ANY = frozenset(DType)
_STATE = "state"


@dataclass(frozen=True)
class TypeCheck:
    """Checks the tensors of a subgraph.

    Attributes:
        tensors: of the subgraph, also as they change while it is read.
        problems: where types are counted, once for each tensor.
    """

    tensors: Sequence[FileTensor]
    problems: Problems
    _counted: set[int] = field(default_factory=set)

    def sound(self, operator: Operator, op: FileOperator) -> bool:
        """Whether all data of an operator has types that tinyhil compiles; counts types that it does not."""
        sound = True
        for i, t in enumerate(op.inputs):
            role, allowed = self._role(operator, op, i)
            if t != ABSENT and role:
                sound &= self.check(t, allowed, role)
        for i, t in enumerate(op.outputs):
            if operator.states is None and self.tensors[t].variable:
                continue  # a state after the operator, under another name
            made = frozenset(types.made(i) for types in operator.types)
            sound &= self.check(t, ANY if _is_free(operator) else made, "activation")
        return sound and self._weights(operator, op)

    def _role(self, operator: Operator, op: FileOperator, i: int) -> tuple[str, frozenset[DType]]:
        if operator.states is None and op.inputs[i] != ABSENT and self.tensors[op.inputs[i]].variable:
            return _STATE, ANY
        return _role(operator, i)

    def _weights(self, operator: Operator, op: FileOperator) -> bool:
        """Whether weights are of a type that goes with the activations'; counts those that are not."""
        pair = self.pair(op, operator)
        if pair is None or not operator.has(Trait.WEIGHTS):
            return True
        sound = pair in {(types.x.value, types.weights.value) for types in operator.types if types.weights is not None}
        if not sound:
            self.problems.types[f"{pair[0]} activations with {pair[1]} weights"] += 1
        return sound

    def count(self, op: FileOperator) -> None:
        """Counts the types of an operator that is not supported; an int32 constant may be a shape, axis or bias."""
        for t in (*op.inputs, *op.outputs):
            if t != ABSENT and self.tensors[t].data is None:
                self.check(t, frozenset({DType.INT8}), "activation")
            elif t != ABSENT:
                self.check(t, frozenset({DType.INT8, DType.INT32}), "weight")

    def pair(self, op: FileOperator, operator: Operator | None) -> tuple[str, str] | None:
        """The types of an operator's activations and of its constant weights; None without weights."""
        form = None if operator is None else operator.tflite
        places = form.data[:2] if form is not None and form.data is not None else (0, 1)
        if max(places) >= len(op.inputs) or any(op.inputs[i] == ABSENT for i in places):
            return None
        x, w = (self.tensors[op.inputs[i]] for i in places)
        return None if w.data is None else (x.type, w.type)

    def check(self, t: int, allowed: frozenset[DType], role: str) -> bool:
        """Whether tensor `t` is of an allowed type, and may have its role; counts it where not."""
        tensor = self.tensors[t]
        odd = tensor.odd
        if tensor.variable and role != _STATE:
            odd = "variable tensors (state kept in place) of operators that keep none"
        elif role == _STATE and (not tensor.variable or tensor.data is not None):
            odd = "states that are constants" if tensor.data is not None else "states in tensors that are no variables"
        sound = tensor.type in {d.value for d in allowed} and not odd
        if not sound and t not in self._counted:
            self._counted.add(t)
            if odd:
                self.problems.features[odd] += 1
            else:
                plural = {"bias": "biases", "input or output": "inputs or outputs"}.get(role, f"{role}s")
                self.problems.types[f"{tensor.type} {plural}"] += 1
        return sound


def _is_free(operator: Operator) -> bool:
    return any(types.free for types in operator.types)


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
    return "activation", ANY if _is_free(operator) else frozenset(types.data(place) for types in operator.types)
