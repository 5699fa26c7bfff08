"""RELU and RELU6 become the clamp of the operator that feeds them."""

from __future__ import annotations

from dataclasses import replace

from harness.graph import BinaryAttrs, Clamp, ConvAttrs, FullyConnectedAttrs, Graph, PoolAttrs
from harness.oracle.params import relu6_clamp, relu_clamp
from harness.passes.rewrite import only_consumer, with_node, without


def _chained(first: Clamp, second: Clamp) -> Clamp:
    """One clamp that does what `first` and then `second` do."""
    low, high = second
    return min(max(first[0], low), high), min(max(first[1], low), high)


def fuse_activation(graph: Graph) -> Graph:
    """Fuses where both tensors have one quantization, so that the activation is a clamp and nothing else."""
    gone: list[int] = []
    for index in range(len(graph.nodes)):
        node = graph.nodes[index]
        if node.op not in ("RELU", "RELU6"):
            continue
        source = graph.producers().get(node.inputs[0])
        x, y = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
        if source is None or only_consumer(graph, node.inputs[0]) is None or (x.quant, x.dtype) != (y.quant, y.dtype):
            continue
        producer = graph.nodes[source]
        if not isinstance(producer.attrs, ConvAttrs | FullyConnectedAttrs | BinaryAttrs | PoolAttrs):
            continue
        clamp = _chained(producer.attrs.clamp, relu_clamp(y) if node.op == "RELU" else relu6_clamp(x))
        fused = replace(
            producer,
            outputs=node.outputs,
            attrs=replace(producer.attrs, clamp=clamp),
            sources=producer.sources + node.sources,
        )
        graph = with_node(graph, source, fused)
        gone.append(index)
    return replace(without(graph, gone, ""), removed=graph.removed)
