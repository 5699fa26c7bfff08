"""A node of an ONNX graph, as a lowering sees it: its values, and attributes of which none may be overlooked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from harness.frontends.onnx.value import OnnxValue
from harness.ir.operators.tflite import Unsupported
from harness.quantization.types import Array, DType

if TYPE_CHECKING:
    from harness.frontends.onnx.network import Network

__all__ = ["Lower", "Lowering", "OnnxNode", "Unsupported"]


@dataclass
class OnnxNode:
    """A node.

    Attributes:
        op: its operator type.
        version: opset in which the operator got the meaning that it has here ("since version").
        inputs: its values; None for one that is not there.
        outputs: names; "" for one that nobody wants.
        attributes: by name, as Python values, strings decoded.
        uses: how often each name of the graph is read, graph outputs included.
        read: names of attributes that the lowering has asked for.
    """

    op: str
    version: int
    inputs: tuple[OnnxValue | None, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    uses: Mapping[str, int] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def value(self, i: int) -> OnnxValue:
        """The i-th input, which must be there."""
        value = self.optional(i)
        if value is None:
            raise Unsupported(f"no input {i}")
        return value

    def optional(self, i: int) -> OnnxValue | None:
        """The i-th input, if it is there."""
        return self.inputs[i] if i < len(self.inputs) else None

    def constant(self, i: int, what: str) -> Array:
        """The i-th input, which must be a constant."""
        data = self.value(i).data
        if data is None:
            raise Unsupported(f"{what} computed at run time")
        return data

    def numbers(self, i: int, what: str) -> tuple[int, ...] | None:
        """An optional input of constant integers, flattened; None where it is not there."""
        if self.optional(i) is None:
            return None
        data = self.constant(i, what)
        if data.dtype.kind not in "iu":
            raise Unsupported(f"{what} of type {data.dtype}")
        return tuple(int(n) for n in data.reshape(-1))

    def scalar(self, i: int, what: str) -> float | None:
        """An optional input of one constant number; None where it is not there."""
        if self.optional(i) is None:
            return None
        data = self.constant(i, what)
        if data.size != 1:
            raise Unsupported(f"{what} of shape {list(data.shape)}")
        return float(cast(Any, data.reshape(-1)[0]))

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        self.read.add(name)
        return self.attributes.get(name, default)

    def integer(self, name: str, default: int = 0) -> int:
        """An integer attribute."""
        return int(self.attribute(name, default))

    def real(self, name: str, default: float = 0.0) -> float:
        """A float attribute, which is a float32 in the file."""
        return float(np.float32(self.attribute(name, default)))

    def text(self, name: str, default: str = "") -> str:
        """A string attribute."""
        return str(self.attribute(name, default))

    def integers(self, name: str) -> tuple[int, ...] | None:
        """A list of integers; None where the file has none."""
        found = self.attribute(name)
        return None if found is None else tuple(int(n) for n in found)

    def one_output(self) -> None:
        """Checks that nobody reads any output but the first."""
        if any(name and self.uses.get(name, 0) for name in self.outputs[1:]):
            raise Unsupported("a second output")

    def unread(self) -> tuple[str, ...]:
        """Attributes of the file that the lowering has not asked for."""
        return tuple(name for name in self.attributes if name not in self.read)


def axis_of(axis: int, rank: int) -> int:
    """An axis made non-negative."""
    if not -rank <= axis < max(rank, 1):
        raise Unsupported(f"axis {axis} of {rank} dimensions")
    return axis % rank if rank else 0


def axes_of(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Axes made non-negative and sorted; none may stand there twice."""
    found = sorted(axis_of(axis, rank) for axis in axes)
    if len(set(found)) != len(found):
        raise Unsupported(f"axes {list(axes)}")
    return tuple(found)


def must_be(value: OnnxValue, *dtypes: DType) -> None:
    """Checks a value's element type."""
    if value.dtype not in dtypes:
        raise Unsupported(f"type {value.dtype.value}")


Lower: TypeAlias = "Callable[[OnnxNode, Network], Sequence[OnnxValue]]"
"""Emits a node's operators; returns its outputs. Raises Unsupported for what has no exact form."""


@dataclass(frozen=True)
class Lowering:
    """How an operator type is lowered, in those of its versions whose meaning is mapped exactly."""

    lower: Lower
    versions: tuple[int, ...]
