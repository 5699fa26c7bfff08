"""A node with its tensors, as a verifier rule sees it; checks that several rules share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias, TypeVar, cast

import numpy as np

from harness.errors import GraphError
from harness.ir.graph import Graph, Node, State, Tensor
from harness.quantization.types import Clamp

INT32 = 1 << 31
_A = TypeVar("_A")


_HINT = "convert the model again; if a pass of tinyhil made this graph, report it"


def error(message: str, hint: str = "") -> GraphError:
    """The error for a graph that breaks a rule; `hint` says what would help, where there is more to say than usual."""
    return GraphError(message, hint=hint or _HINT)


@dataclass(frozen=True)
class View:
    """A node with its tensors. The checks raise GraphError, which names the node."""

    graph: Graph
    index: int
    node: Node

    def error(self, what: str, hint: str = "") -> GraphError:
        """The error for this node: "operator 3 (CONV_2D) <what>"."""
        where = f"operator {self.node.sources[0]}" if self.node.sources else f"node {self.index}"
        return error(f"{where} ({self.node.op}) {what}", hint)

    def need(self, sound: bool, what: str, hint: str = "") -> None:
        """Checks a rule; `hint` says what helps.

        Raises:
            GraphError: not `sound`; says that the node `what`.
        """
        if not sound:
            raise self.error(what, hint)

    def x(self, i: int = 0) -> Tensor:
        """The i-th input."""
        return self.graph.tensors[self.node.inputs[i]]

    def y(self, i: int = 0) -> Tensor:
        """The i-th output."""
        return self.graph.tensors[self.node.outputs[i]]

    def state(self, i: int = 0) -> State:
        """The i-th state."""
        return self.graph.states[self.node.states[i]]

    def attrs(self, kind: type[_A]) -> _A:
        """The attributes, whose class the verifier has checked."""
        return cast(_A, self.node.attrs)

    def scaled(self, *tensors: Tensor) -> float:
        """Checks that all are quantized per tensor; returns the first one's scale."""
        for t in tensors:
            self.need(t.quant is not None, f"has tensor '{t.name}' without quantization parameters")
            self.need(not t.q.per_channel, f"has tensor '{t.name}' quantized per channel, which only weights may be")
            self.need(t.q.scale > 0, f"has tensor '{t.name}' of scale {t.q.scale}")
        return tensors[0].q.scale

    def moved(self, *tensors: Tensor) -> None:
        """Checks tensors between which bytes are only moved: those with quantization parameters have the same.

        TFLM does not look at scales here, and some converters write none.
        """
        known = [t for t in tensors if t.quant is not None]
        if known:
            self.scaled(*known)
            self.same_quant(*known)

    def same_quant(self, *tensors: Tensor, tolerance: float = 1e-6) -> None:
        """Checks that all have the same quantization (scales to a relative `tolerance`), where bytes are only moved."""
        a = tensors[0].q
        for t in tensors[1:]:
            alike = abs(t.q.scale - a.scale) <= tolerance * a.scale and t.q.zero_point == a.zero_point
            self.need(
                alike,
                f"does not requantize, but '{tensors[0].name}' has scale {a.scale:g}, zero point {a.zero_point} and "
                f"'{t.name}' has {t.q.scale:g}, {t.q.zero_point}",
            )

    def shape(self, t: Tensor, expected: tuple[int, ...]) -> None:
        """Checks a tensor's shape."""
        self.need(t.shape == expected, f"gives shape {list(expected)}, '{t.name}' has {list(t.shape)}")

    def clamp(self, clamp: Clamp) -> None:
        """Checks that a clamp is a range within the output's type."""
        low, high = self.y().dtype.range
        self.need(low <= clamp[0] <= clamp[1] <= high, f"has the clamp {clamp}")

    def multiplier(self, real: float, bound: int) -> None:
        """Checks that requantizing values to `bound` by `real` fits 32 bits; TFLM shifts left before it multiplies."""
        self.need(isfinite(real) and real >= 0, f"has the multiplier {real}")
        shift = int(np.frexp(real)[1])
        self.need(
            shift <= 30 and bound << max(shift, 0) < INT32,
            f"has the multiplier {real:g}, with which values up to {bound} overflow 32 bits",
        )


def span(t: Tensor) -> int:
    """Largest distance of a value of an integer tensor from its zero point."""
    low, high = t.dtype.range
    return high - low


def reach(t: Tensor) -> int:
    """Largest distance of a value of a quantized tensor from the zero point that it has."""
    low, high = t.dtype.range
    return max(t.q.zero_point - low, high - t.q.zero_point)


Rule: TypeAlias = Callable[[View], None]
"""Raises GraphError for a node for which TFLM computes no defined result; types and numbers of operands are right."""
