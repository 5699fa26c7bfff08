"""Takes the zero point out of the weights of FULLY_CONNECTED, so that kernels and other passes never see one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.ir.graph import Graph, NoAttrs, Node, Tensor
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.operators.joining import ConcatAttrs
from harness.quantization.fixedpoint import Ints
from harness.quantization.types import Array, Quantization


def centre_weights(graph: Graph) -> Graph:
    """The graph in which such weights are less their zero point.

    What does not fit int8 then is the sum of parts that do, side by side, and the input stands before it as many times.
    """
    tensors: list[Tensor] = list(graph.tensors)
    nodes: list[Node] = []
    for node in graph.nodes:
        quant = tensors[node.inputs[1]].quant if isinstance(node.attrs, FullyConnectedAttrs) else None
        if quant is not None and any(quant.zero_points):
            nodes += _centred(tensors, node)
        else:
            nodes.append(node)
    return replace(graph, tensors=tuple(tensors), nodes=tuple(nodes))


def _centred(tensors: list[Tensor], node: Node) -> list[Node]:
    """The nodes that compute it; what they need is added to the tensors."""
    x, w = tensors[node.inputs[0]], tensors[node.inputs[1]]
    parts = _parts(w)
    quant = Quantization(w.q.scales, (0,) * len(w.q.scales), w.q.axis)
    data = np.ascontiguousarray(np.concatenate(parts, axis=1))
    data.flags.writeable = False
    weights = _added(tensors, replace(w, shape=data.shape, data=data, quant=quant, source=None))
    if len(parts) == 1:
        return [replace(node, inputs=(node.inputs[0], weights, *node.inputs[2:]))]
    depth = w.shape[1]
    rows = x.elements // depth
    flat = _added(tensors, Tensor(f"{x.name}/rows", (rows, depth), x.dtype, x.quant))
    wide = _added(tensors, Tensor(f"{x.name}/repeated", (rows, depth * len(parts)), x.dtype, x.quant))
    return [
        Node("RESHAPE", node.inputs[:1], (flat,), NoAttrs()),
        Node("CONCATENATION", (flat,) * len(parts), (wide,), ConcatAttrs(1, x.dtype.range)),
        replace(node, inputs=(wide, weights, *node.inputs[2:])),
    ]


def _parts(w: Tensor) -> list[Array]:
    """Int8 arrays whose sum is the weights less their zero point."""
    rest: Ints = np.asarray(w.data).astype(np.int64) - w.q.zero_point
    parts: list[Array] = []
    while not parts or rest.any():
        part = np.clip(rest, *w.dtype.range)
        parts.append(part.astype(w.dtype.numpy))
        rest = rest - part
    return parts


def _added(tensors: list[Tensor], tensor: Tensor) -> int:
    tensors.append(tensor)
    return len(tensors) - 1
