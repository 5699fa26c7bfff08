"""Puts small quantized graphs together, for generated tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from harness.frontends.tflite.writer import operator_index, variables_of, write
from harness.ir.graph import Attrs, Graph, Node, State, Tensor
from harness.ir.operators import OPERATORS
from harness.quantization.types import Array, DType, Quantization

Rng = np.random.Generator
T = TypeVar("T")
Few: TypeAlias = Literal["int4", "narrow int4", "shared", "shared by channel"]
"""Weights of -8..7; of -7..7; of at most 16 values in all; of at most 16 in each channel."""

QUANTIZED = (DType.INT8, DType.UINT8, DType.INT16)
"""Element types of activations that have scales."""


def chance(rng: Rng, probability: float) -> bool:
    return bool(rng.random() < probability)


def pick(rng: Rng, *choices: T) -> T:
    return choices[int(rng.integers(len(choices)))]


def between(rng: Rng, low: int, high: int) -> int:
    """low <= n <= high, with the ends more often than chance would have it."""
    return pick(rng, low, high) if chance(rng, 0.2) else int(rng.integers(low, high + 1))


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """A float32 between low and high, uniform in its logarithm."""
    return float(np.float32(np.exp(rng.uniform(np.log(low), np.log(high)))))


def quantization(rng: Rng, dtype: DType = DType.INT8, scale: float | None = None) -> Quantization:
    low, high = dtype.range
    point = 0 if dtype is DType.INT16 else between(rng, low, high)
    return Quantization((float(np.float32(scale or log_uniform(rng, 2**-9, 1))),), (point,))


def values(rng: Rng, shape: tuple[int, ...], dtype: DType) -> Array:
    """Uniform over the type, or only its ends, or a narrow band."""
    if dtype is DType.FLOAT32:
        return floats(rng, shape)
    low, high = dtype.range
    kind = rng.random()
    if kind < 0.1:
        return rng.choice(np.array([low, high], dtype.numpy), size=shape)
    if kind < 0.2 and high - low > 3:
        low = int(rng.integers(low, high - 3, dtype=np.uint64 if dtype is DType.UINT64 else np.int64))
        high = low + 3
    wide = np.uint64 if dtype is DType.UINT64 else np.int64
    return rng.integers(low, high, size=shape, endpoint=True, dtype=wide).astype(dtype.numpy)


def floats(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Of the sizes that activations have, with exact halves, zeros of both signs and now and then large ones."""
    made = rng.normal(0, 4, shape)
    kind = rng.random(shape)
    made = np.where(kind < 0.1, np.round(made) + 0.5, made)
    made = np.where(kind > 0.98, made * 1e6, made)
    return np.where((kind > 0.9) & (kind < 0.95), np.copysign(0, made), made).astype(np.float32)


@dataclass
class Draft:
    """A graph while it is put together; tensors are named by their id.

    zeros: share of the weights' output channels that are all zero.
    few: which few values weights have (few_values.py); None: any.
    """

    rng: Rng
    tensors: list[Tensor] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    zeros: float = 0.05
    few: Few | None = None

    def tensor(
        self, shape: tuple[int, ...], quant: Quantization | None, dtype: DType = DType.INT8, data: Array | None = None
    ) -> int:
        index = len(self.tensors)
        self.tensors.append(Tensor(f"t{index}", tuple(int(n) for n in shape), dtype, quant, data, source=index))
        return index

    def input(self, shape: tuple[int, ...], quant: Quantization | None = None, dtype: DType = DType.INT8) -> int:
        quantized = quantization(self.rng, dtype) if quant is None and dtype in QUANTIZED else quant
        self.inputs.append(self.tensor(shape, quantized, dtype))
        return self.inputs[-1]

    def offered(self, types: Sequence[DType], low: int, high: int) -> int | None:
        """A tensor of one of the types and of rank low..high that the next operator may read; None: it makes one."""
        return None

    def requantized(self, x: int, quant: Quantization) -> int:
        """x, which the next operator is to read, with other scales."""
        self.tensors[x] = replace(self.tensors[x], quant=quant)
        return x

    def like(self, x: int, shape: tuple[int, ...]) -> int:
        """A tensor of the type and quantization of another."""
        return self.tensor(shape, self.tensors[x].quant, self.tensors[x].dtype)

    def constant(self, data: Array, quant: Quantization | None) -> int:
        return self.tensor(data.shape, quant, DType(data.dtype.name), data)

    def node(
        self,
        op: str,
        inputs: tuple[int, ...],
        outputs: tuple[int, ...],
        attrs: Attrs,
        states: tuple[int, ...] = (),
    ) -> int:
        """The first output, if there is one."""
        self.nodes.append(Node(op, inputs, outputs, attrs, states=states))
        return outputs[0] if outputs else -1

    def quant(self, index: int) -> Quantization:
        return self.tensors[index].q

    def shape(self, index: int) -> tuple[int, ...]:
        return self.tensors[index].shape

    def finish(self, name: str, outputs: tuple[int, ...]) -> Graph:
        graph = Graph(name, tuple(self.tensors), tuple(self.nodes), tuple(self.inputs), outputs, tuple(self.states))
        nodes = tuple(replace(n, sources=(operator_index(graph, i),)) for i, n in enumerate(graph.nodes))
        variables = variables_of(graph)
        setup = ("CALL_ONCE", *["VAR_HANDLE"] * len(variables)) if variables else ()
        model = write(graph)
        return replace(
            graph,
            nodes=nodes,
            model=model,
            sha256=hashlib.sha256(model).hexdigest(),
            source_ops=(*setup, *map(_op_of_file, nodes)),
        )


def _op_of_file(node: Node) -> str:
    form = OPERATORS[node.op].tflite if node.op in OPERATORS else None
    return node.op if form is None else form.dynamic_of or node.op
