"""Merges PAD into the padding of the convolution that reads it."""

from __future__ import annotations

from dataclasses import replace

from harness.ir.graph import Graph
from harness.ir.operators.pad import PadAttrs
from harness.ir.window import ConvAttrs, Pads
from harness.passes.rewrite import only_consumer


def fuse_pad(graph: Graph) -> Graph:
    """Merges a PAD of rows and columns with the zero point into its only consumer, if that is a convolution."""
    nodes = list(graph.nodes)
    gone = set()
    for index, node in enumerate(graph.nodes):
        attrs = node.attrs
        if not isinstance(attrs, PadAttrs) or len(attrs.paddings) != 4:
            continue
        x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
        batch, rows, columns, channels = attrs.paddings
        reader = only_consumer(graph, node.outputs[0])
        if reader is None or node.inputs[0] in graph.places() or (batch, channels) != ((0, 0), (0, 0)):
            continue
        conv = nodes[reader]
        if not isinstance(conv.attrs, ConvAttrs) or x.quant is None or x.quant != y.quant:
            continue
        if attrs.value != (0 if x.quant is None else x.quant.zero_point):
            continue
        old = conv.attrs.pads
        pads = Pads(old.top + rows[0], old.bottom + rows[1], old.left + columns[0], old.right + columns[1])
        fused = replace(
            conv,
            inputs=(node.inputs[0], *conv.inputs[1:]),
            attrs=replace(conv.attrs, pads=pads),
            sources=node.sources + conv.sources,
        )
        nodes[reader] = fused
        gone.add(index)
    return replace(graph, nodes=tuple(node for index, node in enumerate(nodes) if index not in gone))
