"""Graphs and ONNX networks whose int8 operators round as ONNX Runtime does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from harness.ir.graph import Graph, Node
from harness.ir.operators import OPERATORS
from harness.ir.verifier import verify
from harness.quantization.types import DType, Rounding
from tests.support.generated import random_graph

OPS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "QUANTIZE", "TRANSPOSE_CONV")
"""Operators that have that rounding."""


def as_onnx(graph: Graph) -> Graph:
    """The graph with it wherever an operator has it."""
    return replace(graph, nodes=tuple(_as_onnx(graph, node) for node in graph.nodes))


def _as_onnx(graph: Graph, node: Node) -> Node:
    x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    able = Rounding.ONNX in OPERATORS[node.op].roundings and y.dtype is DType.INT8
    real = DType.FLOAT32 if node.op == "QUANTIZE" else DType.INT8
    return replace(node, rounding=Rounding.ONNX) if able and x.dtype is real else node


def rounded_graphs(seed: int, count: int, ops: tuple[str, ...] = OPS) -> list[Graph]:
    """Random graphs of these operators in turn."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        graph = as_onnx(random_graph(rng, op=ops[len(found) % len(ops)]))
        if not graph.follows_tflm:
            verify(graph)
            found.append(graph)
    return found


@dataclass
class QdqDraft:
    """A QDQ network that grows by random operators; values are names of float32 that a DequantizeLinear made.

    ranges: about how large the elements of each value get.
    """

    rng: np.random.Generator
    signed: bool
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ranges: dict[str, float] = field(default_factory=dict)
    scales: dict[str, np.float32] = field(default_factory=dict)

    def given(self, data: Any) -> str:
        """A constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(data), name))
        return name

    def op(self, op: str, inputs: list[str], **attributes: Any) -> str:
        """An operator of one output."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def quantized(self, x: str, shape: tuple[int, ...], most: float, *, least: float | None = None) -> str:
        """x by QuantizeLinear and DequantizeLinear."""
        low, high = (-128, 127) if self.signed else (0, 255)
        bottom = -most if least is None else least
        scale = np.float32((most - bottom) / 255 * self.rng.uniform(0.8, 1.2))
        zero = int(np.clip(round(low - bottom / float(scale)), low, high))
        kind = np.int8 if self.signed else np.uint8
        names = [self.given(scale), self.given(kind(zero))]
        y = self.op("DequantizeLinear", [self.op("QuantizeLinear", [x, *names]), *names])
        self.shapes[y], self.ranges[y], self.scales[y] = shape, max(most, -bottom), scale
        return y

    def weights(self, x: str, shape: tuple[int, ...], axis: int) -> tuple[str, str, float]:
        """(int8 weights, int32 bias, about how large sums get) of a layer on x, both by DequantizeLinear."""
        channels = shape[axis]
        data = np.clip(np.rint(self.rng.normal(0, 40, shape)), -127, 127).astype(np.int8)
        per_channel = bool(self.rng.integers(2))
        size = channels if per_channel else 1
        scales = (self.rng.uniform(0.5, 1.5, size) * 0.01).astype(np.float32)
        steps = (self.scales[x] * scales).astype(np.float32)
        most = float(np.sqrt(data.size / channels) * 40 * 0.01 * self.ranges[x])
        bias = np.rint(self.rng.normal(0, 0.2, channels) * most / steps).astype(np.int32)
        flat = lambda a: a if per_channel else a.reshape(())  # noqa: E731
        named = [self.given(flat(scales)), self.given(flat(np.zeros(size, np.int8)))]
        of_bias = [self.given(flat(steps)), self.given(flat(np.zeros(size, np.int32)))]
        real = self.op("DequantizeLinear", [self.given(data), *named], axis=axis)
        return real, self.op("DequantizeLinear", [self.given(bias), *of_bias], axis=0), most

    def finish(self, x: str, shape: tuple[int, ...], y: str) -> bytes:
        """The model's bytes."""
        graph = helper.make_graph(
            self.nodes,
            "qdq",
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, self.shapes[y])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def qdq_network(seed: int) -> bytes:
    """A random image classifier in QDQ form: convolutions, sums, products, activations, pooling, fully connected."""
    rng = np.random.default_rng(seed)
    d = QdqDraft(rng, bool(rng.integers(2)))
    shape = (1, int(rng.integers(2, 6)), int(rng.integers(5, 10)), int(rng.integers(5, 10)))
    value = d.quantized("x", shape, 3.0)
    for _ in range(int(rng.integers(3, 7))):
        value = _layer(d, value)
    n, c, h, w = d.shapes[value]
    flat = d.op("Flatten", [value])
    d.scales[flat], d.ranges[flat] = d.scales[value], d.ranges[value]
    out = int(rng.integers(2, 12))
    real, bias, most = d.weights(flat, (c * h * w, out), 1)
    return d.finish("x", shape, d.quantized(d.op("Gemm", [flat, real, bias]), (n, out), most))


def _layer(d: QdqDraft, x: str) -> str:
    n, c, h, w = d.shapes[x]
    kind = int(d.rng.integers(6))
    if kind <= 2:  # a convolution, plain or of each channel by itself, with or without an activation
        groups = c if kind == 2 else 1
        out = c if kind == 2 else int(d.rng.integers(1, 10))
        real, bias, most = d.weights(x, (out, c // groups, 3, 3), 0)
        y = d.op("Conv", [x, real, bias], pads=[1, 1, 1, 1], group=groups)
        end = int(d.rng.integers(3))
        if end:
            y = d.op("Relu", [y]) if end == 1 else d.op("Clip", [y, d.given(np.float32(0)), d.given(np.float32(6))])
        return d.quantized(y, (n, out, h, w), most if end < 2 else 6.0, least=0.0 if end else None)
    if kind == 3:
        other = d.quantized(x, (n, c, h, w), d.ranges[x] * 1.3)
        op = str(d.rng.choice(["Add", "Sub", "Mul"]))
        most = d.ranges[x] ** 2 if op == "Mul" else d.ranges[x] * 1.5
        return d.quantized(d.op(op, [x, other]), (n, c, h, w), most)
    if kind == 4:
        sharp = d.op("HardSigmoid", [x], alpha=1 / 6, beta=0.5)
        return d.quantized(d.op("Mul", [sharp, x]), (n, c, h, w), d.ranges[x])
    y = d.op("MaxPool", [x], kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    return d.quantized(d.op("LeakyRelu", [y], alpha=0.1), (n, c, h, w), d.ranges[x])


def qdq_transposed(seed: int) -> bytes:
    """A transposed convolution in QDQ form."""
    rng = np.random.default_rng(seed)
    d = QdqDraft(rng, bool(rng.integers(2)))
    shape = (1, int(rng.integers(1, 6)), 4, 5)
    x, out = d.quantized("x", shape, 3.0), int(rng.integers(1, 6))
    real, bias, most = d.weights(x, (shape[1], out, 3, 3), 1)
    y = d.op("ConvTranspose", [x, real, bias], strides=[2, 2])
    return d.finish("x", shape, d.quantized(y, (1, out, 9, 11), most))
