"""Small graphs written by hand, for tests of one thing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import ABSENT, Attrs, Graph, NoAttrs, Node, Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.window import ConvAttrs, Pads
from harness.quantization.types import Array, DType, Quantization

FULL = (-128, 127)


class Builder:
    """Collects tensors and nodes; every node gets the next operator index as its source."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.nodes: list[Node] = []
        self.inputs: list[int] = []

    def tensor(
        self, *shape: int, scale: float = 0.1, zero: int = 0, data: Array | None = None, dtype: DType = DType.INT8
    ) -> int:
        """A tensor; with `data` a constant."""
        index = len(self.tensors)
        quant = Quantization((scale,), (zero,))
        self.tensors.append(Tensor(f"t{index}", shape, dtype, quant, data, index))
        return index

    def input(self, *shape: int, scale: float = 0.1, zero: int = 0) -> int:
        """An int8 input of the graph."""
        self.inputs.append(self.tensor(*shape, scale=scale, zero=zero))
        return self.inputs[-1]

    def node(self, op: str, inputs: tuple[int, ...], output: int, attrs: Attrs | None = None) -> int:
        """A node with one output, which is returned."""
        self.nodes.append(Node(op, inputs, (output,), attrs or NoAttrs(), (len(self.nodes),)))
        return output

    def conv(self, x: int, out_c: int, *, size: int = 3, pads: Pads | None = None, seed: int = 0) -> int:
        """A convolution of stride 1 with random weights and no bias."""
        n, h, w, c = self.tensors[x].shape
        p = pads or Pads()
        data = np.random.default_rng(seed).integers(-127, 128, (out_c, size, size, c)).astype(np.int8)
        weights = self.tensor(out_c, size, size, c, scale=0.01, data=data)
        y = self.tensor(n, h + p.top + p.bottom - size + 1, w + p.left + p.right - size + 1, out_c, scale=0.2, zero=3)
        return self.node("CONV_2D", (x, weights, ABSENT), y, ConvAttrs((1, 1), (1, 1), p, FULL))

    def like(self, tensor: int) -> int:
        """A tensor of the same shape and quantization."""
        source = self.tensors[tensor]
        self.tensors.append(replace(source, name=f"t{len(self.tensors)}", data=None, source=len(self.tensors)))
        return len(self.tensors) - 1

    def add(self, a: int, b: int) -> int:
        """a + b, of a's shape and quantization."""
        return self.node("ADD", (a, b), self.like(a), BinaryAttrs(FULL))

    def pad(self, x: int, top: int, bottom: int, left: int, right: int, value: int | None = None) -> int:
        """Rows and columns of `value` (None: the zero point) around an image."""
        n, h, w, c = self.tensors[x].shape
        q = self.tensors[x].q
        y = self.tensor(n, h + top + bottom, w + left + right, c, scale=q.scale, zero=q.zero_point)
        paddings = ((0, 0), (top, bottom), (left, right), (0, 0))
        return self.node("PAD", (x,), y, PadAttrs(paddings, q.zero_point if value is None else value))

    def graph(self, *outputs: int, name: str = "hand_made") -> Graph:
        """The finished graph."""
        return Graph(
            name,
            tuple(self.tensors),
            tuple(self.nodes),
            tuple(self.inputs),
            outputs,
            sha256="0" * 64,
            source_ops=tuple(n.op for n in self.nodes),
        )
