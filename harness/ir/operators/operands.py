"""Operands of a node for its numpy specification, and steps that several specifications share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from harness.errors import GraphError
from harness.ir.graph import Attrs, Graph, State, Tensor
from harness.quantization.fixedpoint import Ints, wrap32
from harness.quantization.requantize import Requantize, tflm
from harness.quantization.types import Array, Clamp, DType, Rounding

Run: TypeAlias = Callable[[Graph, Sequence[Array]], Sequence[Array]]
"""Graph and its inputs -> its outputs."""


def _nowhere(graph: Graph, inputs: Sequence[Array]) -> Sequence[Array]:
    raise GraphError("a graph within a node runs in the interpreter alone", hint="use harness.ir.interpreter")


@dataclass(frozen=True)
class Operands:
    """Tensors and attributes of a node, without the input arrays.

    Attributes:
        ins: input tensors, None for an optional one that is not there.
        outs: output tensors.
        attrs: the node's.
        requantize: requantization of a layer with weights; TFLM's by default.
        rounding: the node's.
        states: of a node that has some.
        held: the value of each state before the node runs.
        run: runs a graph that the node has of its own.
    """

    ins: Sequence[Tensor | None]
    outs: Sequence[Tensor]
    attrs: Attrs
    requantize: Requantize = tflm
    rounding: Rounding = Rounding.TFLM
    states: Sequence[State] = ()
    held: Sequence[Array] = ()
    run: Run = _nowhere

    @property
    def x(self) -> Tensor:
        """The first input."""
        return self.input(0)

    @property
    def y(self) -> Tensor:
        """The first output."""
        return self.outs[0]

    def input(self, index: int) -> Tensor:
        """An input that must be there.

        Raises:
            GraphError: it is not.
        """
        tensor = self.ins[index] if index < len(self.ins) else None
        if tensor is None:
            raise GraphError(f"input {index} of what writes '{self.y.name}' is missing", hint="verify the graph")
        return tensor


Floats: TypeAlias = npt.NDArray[np.float32]
Inputs: TypeAlias = Sequence[Array | None]
Compute: TypeAlias = Callable[[Inputs, Operands], tuple[Array, ...]]
"""A numpy specification: input arrays and operands -> output arrays, bit for bit those of TensorFlow Lite Micro.

An operator that changes its states returns their values afterwards, too, behind the outputs.
"""


def array(inputs: Inputs, index: int) -> Array:
    """An input that must be there."""
    value = inputs[index]
    assert value is not None
    return value


def floats(inputs: Inputs, index: int) -> Floats:
    """A float32 input that must be there."""
    return cast(Floats, array(inputs, index))


def centred(inputs: Inputs, index: int, op: Operands) -> Ints:
    """An input less its zero point."""
    return array(inputs, index).astype(np.int64) - op.input(index).q.zero_point


def plain(inputs: Inputs, index: int) -> Any:
    """An input to compute with as it is: float32, or integers in 64 bits."""
    values = array(inputs, index)
    return values if values.dtype == np.float32 else values.astype(np.int64)


def clip(values: Any, clamp: Clamp, y: Tensor) -> Array:
    """Values clamped, in the type and shape of `y`; what has left 32 bits wraps around before, as in C."""
    if y.dtype is DType.FLOAT32:
        low, high = map(np.float32, clamp)
        raised = np.where(values < low, low, values)  # as std::max and std::min: -0 is not below 0
        return np.where(high < raised, high, raised).astype(np.float32).reshape(y.shape)
    if y.dtype is DType.INT32:
        values = wrap32(values)
    clipped: Array = np.clip(values, *clamp).astype(y.dtype.numpy).reshape(y.shape)
    return clipped
