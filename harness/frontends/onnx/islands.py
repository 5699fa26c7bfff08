"""int8 layers from float32 ones between DEQUANTIZE and QUANTIZE: QUANTIZE(f(DEQUANTIZE(x))) is f in int8.

What only moves elements does so in int8. A layer that has no int8 form with these scales, or none that rounds as ONNX
does (rounding.py), stays in float32, which is what ONNX computes. docs/onnx.md has the rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from harness.frontends.onnx.fusing import FREE
from harness.frontends.onnx.network import Network
from harness.frontends.onnx.rounding import clamp_of, rounding_of
from harness.ir.activations import activation_clamp
from harness.ir.graph import ABSENT, Attrs, NoAttrs, Node, Tensor
from harness.ir.operators import OPERATORS
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.tflite import Unsupported
from harness.ir.operators.traits import Trait
from harness.quantization.types import DType, Quantization, Rounding

_ACTIVATIONS = {FREE: "NONE", (0, FREE[1]): "RELU", (0, 6): "RELU6", (-1, 1): "RELU_N1_TO_1"}
_INT8 = DType.INT8


class Islands:
    """One pass over a network's operators, which it replaces."""

    def __init__(self, net: Network, outputs: Sequence[int]) -> None:
        self._net = net
        self._reads = Counter(t for node in net.nodes for t in node.inputs)
        self._reads.update(outputs)
        self._nodes: list[Node] = []
        self._writers: dict[int, int] = {}
        self._integers: dict[int, int] = {}
        self._real: dict[int, int] = {}
        self._same: dict[int, int] = {}
        self.layers: Counter[Rounding] = Counter()

    def run(self, outputs: Sequence[int]) -> list[int]:
        """Rewrites the network; returns the tensors of its outputs."""
        for node in self._net.nodes:
            self._node(replace(node, inputs=tuple(self._same.get(t, t) for t in node.inputs)))
        ids = [self._as_real(self._same.get(t, t)) for t in outputs]
        self._net.nodes[:] = self._nodes
        return ids

    def _node(self, node: Node) -> None:
        operator = OPERATORS[node.op]
        x, y = (self._net.tensors[t] for t in (node.inputs[0] if node.inputs else node.outputs[0], node.outputs[0]))
        if x.dtype is _INT8 and y.dtype is DType.FLOAT32 and operator.has(Trait.SAME_VALUES) and y.quant is None:
            self._integers[node.outputs[0]] = node.inputs[0]  # DEQUANTIZE
            return
        if x.dtype is DType.FLOAT32 and y.dtype is _INT8:
            self._quantize(node)
            return
        if not self._moved(node):
            self._add(replace(node, inputs=tuple(self._as_real(t) for t in node.inputs)))

    def _add(self, node: Node) -> None:
        self._writers.update(dict.fromkeys(node.outputs, len(self._nodes)))
        self._nodes.append(node)

    def _as_real(self, tensor: int) -> int:
        """The tensor, computed by a DEQUANTIZE if it stands for one."""
        if tensor in self._integers and tensor not in self._real:
            self._real[tensor] = tensor
            self._add(Node("DEQUANTIZE", (self._integers[tensor],), (tensor,), NoAttrs()))
        return tensor

    def _tensor(self, like: int, quant: Quantization | None) -> int:
        tensor = self._net.tensors[like]
        self._net.tensors.append(Tensor(tensor.name, tensor.shape, _INT8, quant))
        return len(self._net.tensors) - 1

    def _rescale(self, source: int, to: int) -> None:
        """int8 to another scale, by way of float32 as in ONNX: TFLM's QUANTIZE rounds small integers twice."""
        tensor = self._net.tensors[source]
        self._net.tensors.append(Tensor(tensor.name, tensor.shape, DType.FLOAT32))
        real = len(self._net.tensors) - 1
        self._add(Node("DEQUANTIZE", (source,), (real,), NoAttrs()))
        self._add(Node("QUANTIZE", (real,), (to,), NoAttrs(), rounding=Rounding.ONNX))

    # --- moves -------------------------------------------------------------------------------------------------------

    def _moved(self, node: Node) -> bool:
        """Moves int8 instead of the float32 that it stands for, where all that goes in has one scale."""
        attrs = _move_attrs(node, self._net, self._integers)
        if attrs is None or any(t not in self._integers for t in _data(node)):
            return False
        sources = [self._integers[t] for t in _data(node)]
        quants = {self._net.tensors[t].quant for t in sources}
        if len(quants) != 1 or None in quants:
            return False
        quant = quants.pop()
        outs = tuple(self._tensor(t, quant) for t in node.outputs)
        inputs = (*sources, *node.inputs[len(sources) :])
        made = replace(node, inputs=inputs, outputs=outs, attrs=attrs)
        try:
            self._net.check(made)
        except Unsupported:
            return False
        self._add(made)
        self._integers.update(zip(node.outputs, outs, strict=True))
        return True

    # --- layers ------------------------------------------------------------------------------------------------------

    def _quantize(self, node: Node) -> None:
        (x,), (y,) = node.inputs, node.outputs
        quant = self._net.tensors[y].quant
        known = self._integers.get(x)
        if known is not None:
            if self._net.tensors[known].quant == quant:
                self._same[y] = known
            else:
                self._rescale(known, y)
            return
        if self._layer(x, y, cast(Quantization, quant)):
            return
        self._add(replace(node, inputs=(self._as_real(x),), rounding=Rounding.ONNX))

    def _layer(self, x: int, y: int, quant: Quantization) -> bool:
        """Makes the operators that compute `x` for this QUANTIZE alone those of the int8 tensor `y`."""
        path: list[int] = []
        tensor = x
        while True:
            index = self._writers.get(tensor)
            if index is None or self._reads[tensor] != 1:
                return False
            path.append(index)
            node = self._nodes[index]
            if not (OPERATORS[node.op].has(Trait.SAME_BYTES) or node.op in _TURNS):
                break
            tensor = node.inputs[0]
        made: list[tuple[int, Node]] = []
        below = y
        for index in path[:-1]:  # what moves the layer's output
            node = self._nodes[index]
            source = self._tensor(node.inputs[0], quant)
            made.append((index, replace(node, inputs=(source, *node.inputs[1:]), outputs=(below,))))
            below = source
        last = self._nodes[path[-1]]
        if isinstance(last.attrs, ConcatAttrs):
            return len(path) == 1 and self._joined(last, y, quant)
        layer = self._int8(last, below, quant)
        if layer is None:
            return False
        made.append((path[-1], layer))
        try:
            for _, node in made:
                self._net.check(node)
        except Unsupported:
            return False
        for index, node in made:
            self._nodes[index] = node
            self._writers.update(dict.fromkeys(node.outputs, index))
        self.layers[layer.rounding] += 1
        return True

    def _joined(self, node: Node, y: int, quant: Quantization) -> bool:
        """Joins parts of several scales, each requantized to that of the whole."""
        if any(t not in self._integers for t in node.inputs):
            return False
        parts = []
        for t in node.inputs:
            source = self._integers[t]
            if self._net.tensors[source].quant != quant:
                part = self._tensor(source, quant)
                self._rescale(source, part)
                source = part
            parts.append(source)
        attrs = replace(cast(ConcatAttrs, node.attrs), clamp=_INT8.range)
        self._add(Node(node.op, tuple(parts), (y,), attrs))
        return True

    def _int8(self, node: Node, y: int, quant: Quantization) -> Node | None:
        """A layer of float32 in int8, with the output `y`; None where there is no such form."""
        operator = OPERATORS[node.op]
        if len(node.outputs) != 1 or self._net.tensors[node.outputs[0]].dtype is not DType.FLOAT32:
            return None
        data = _data(node)
        if not data or any(t not in self._integers for t in data):
            return None
        sources = [self._integers[t] for t in data]
        attrs = _int8_attrs(node.attrs, self._net.tensors[y])
        if attrs is None:
            return None
        inputs = tuple(sources)
        if operator.has(Trait.WEIGHTS):
            constants = self._weights(node, self._net.tensors[sources[0]])
            if constants is None:
                return None
            inputs = (sources[0], *constants)
        made = Node(node.op, inputs, (y,), attrs)
        try:
            self._net.check(made)
        except Unsupported:
            return None
        rounding = rounding_of(self._net.tensors, made, node.attrs)
        return None if rounding is None else replace(made, rounding=rounding)

    def _weights(self, node: Node, x: Tensor) -> tuple[int, int] | None:
        """int8 weights and int32 bias; None where the file has others."""
        net, found = self._net, self._net.weights.get(node.inputs[1])
        if found is None or x.quant is None:
            return None
        data, quant = found
        if data.dtype == np.uint8 and all(z == 128 for z in quant.zero_points):
            data = (data.astype(np.int16) - 128).astype(np.int8)
            quant = replace(quant, zero_points=(0,) * len(quant.scales))
        if data.dtype != np.int8 or any(quant.zero_points):
            return None
        points = quant.zero_points if len(quant.zero_points) == len(quant.scales) else (0,) * len(quant.scales)
        quant = replace(quant, zero_points=points)
        weights = net.constant(data, net.tensors[node.inputs[1]].name, quant)
        old = node.inputs[2] if len(node.inputs) > 2 else ABSENT
        assert old != ABSENT, "every lowered layer has a bias"
        channels = net.tensors[old].elements
        scales = np.broadcast_to(np.array(quant.scales) * x.quant.scale, (channels,))
        kept = net.weights.get(old)
        if kept is not None and kept[0].dtype == np.int32 and not any(kept[1].zero_points):
            given = np.broadcast_to(np.array(kept[1].scales), (channels,))
            if not np.allclose(given, scales, rtol=1e-5, atol=0):
                return None
            numbers = kept[0]
        else:
            numbers_ = np.rint(np.asarray(net.tensors[old].data, np.float64) / scales)
            if np.abs(numbers_).max() >= 1 << 31:
                return None
            numbers = numbers_.astype(np.int32)
        count = 1 if len(quant.scales) == 1 else channels
        of_bias = Quantization(tuple(float(s) for s in scales[:count]), (0,) * count, 0 if count > 1 else None)
        return weights, net.constant(numbers, net.tensors[old].name, of_bias)


_TURNS = frozenset({"TRANSPOSE"})


def _data(node: Node) -> tuple[int, ...]:
    """Inputs of elements: without weights, bias and indices."""
    operator = OPERATORS[node.op]
    if operator.has(Trait.WEIGHTS):
        return node.inputs[:1]
    return tuple(t for i, t in enumerate(node.inputs) if not any(i == place for place, _ in operator.types[0].apart))


def _move_attrs(node: Node, net: Network, integers: dict[int, int]) -> Attrs | None:
    """The attributes of an operator that only moves, or picks, elements, for int8; None of any other operator."""
    attrs = node.attrs
    if isinstance(attrs, PadAttrs):
        source = integers.get(node.inputs[0])
        quant = None if source is None else net.tensors[source].quant
        return None if quant is None or attrs.value != 0 else replace(attrs, value=quant.zero_point)
    if isinstance(attrs, ConcatAttrs):
        return replace(attrs, clamp=_INT8.range)
    if node.op in _PICKS:
        clamp = getattr(attrs, "clamp", FREE)
        if clamp != FREE:
            return None
        return replace(cast(Any, attrs), clamp=_INT8.range) if hasattr(attrs, "clamp") else attrs
    return None


_PICKS = frozenset(
    {
        *("RESHAPE", "TRANSPOSE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "GATHER", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE"),
        *("MAX_POOL_2D", "REDUCE_MAX", "REDUCE_MIN", "MIRROR_PAD", "BROADCAST_TO", "RESIZE_NEAREST_NEIGHBOR"),
    }
)
"""Operators whose output elements are input elements: the same in int8, whatever the scale."""


def _int8_attrs(attrs: Attrs, y: Tensor) -> Attrs | None:
    """Attributes with the clamp of an activation in the units of `y`; None where no activation has it."""
    clamp = getattr(attrs, "clamp", None)
    if clamp is None:
        return attrs
    name = _ACTIVATIONS.get(clamp)
    if name is None or activation_clamp(name, y) != clamp_of(clamp, y):
        return None
    return cast(Attrs, replace(cast(Any, attrs), clamp=activation_clamp(name, y)))
