"""Whose fault it is where TFLM's program for a core differs from TFLM's own reference kernels."""

from __future__ import annotations

from collections.abc import Sequence

from harness.ir.graph import Graph, Node
from harness.ir.operators import has
from harness.ir.operators.lstm import LstmAttrs
from harness.ir.operators.traits import Trait
from harness.ir.operators.transpose_conv import TransposeConvAttrs
from harness.ir.window import ConvAttrs, PoolAttrs
from harness.quantization.types import DType
from harness.validate.differences import TensorDiff

_QUANTIZED = (DType.INT8, DType.INT16)


def whose_fault(graph: Graph, ours: Sequence[TensorDiff], theirs: Sequence[TensorDiff]) -> tuple[str, ...]:
    """A note where TFLM's program differs from its reference kernels; none where it does not.

    Args:
        graph: the model.
        ours, theirs: differences of tinyhil's outputs and of TFLM's from the reference's, over the same vectors.
    """
    wrong = sum(diff.differing for diff in theirs)
    if not wrong:
        return ()
    elements = sum(diff.elements for diff in theirs)
    most = max(diff.max_lsb for diff in theirs)
    what = f"live TFLM differs from the reference in {wrong:,} of {elements:,} output elements, by up to {most:,} LSB"
    known = known_fault(graph)
    if any(diff.differing for diff in ours):
        return (f"{what}, and so does tinyhil: two differences, each its own fault{f'; {known}' if known else ''}",)
    return (f"{what}; tinyhil equals it: the fault is TFLM's{f', {known}' if known else ''}",)


def known_fault(graph: Graph) -> str:
    """What is known to go wrong in TFLM with CMSIS-NN on a Cortex-M55 in such a model; "" if nothing is."""
    found = []
    if any(isinstance(node.attrs, LstmAttrs) and _is_int8(graph, node.outputs[0]) for node in graph.nodes):
        found.append("whose int8 LSTM forgets its hidden state from one inference to the next")
    if any(_is_flat_and_strided(graph, node) for node in graph.nodes):
        found.append("whose convolutions with a kernel of 1xN and a stride are wrong with MVE (arm_convolve_1_x_n_s8)")
    if any(_is_limited_transposed(graph, node) for node in graph.nodes):
        found.append("whose TRANSPOSE_CONV does not keep to the limits of its fused activation")
    if any(_averages_batches(graph, node) for node in graph.nodes):
        found.append("whose int8 AVERAGE_POOL_2D computes the first of several batches alone")
    if any(graph.tensors[output].dtype is DType.FLOAT32 for output in graph.outputs):
        found.append("whose floats are rounded otherwise, as its compiler fuses or reorders sums")
    return " and ".join(found)


def _is_flat_and_strided(graph: Graph, node: Node) -> bool:
    if not isinstance(node.attrs, ConvAttrs) or not _is_int8(graph, node.inputs[0]):
        return False
    rows = graph.tensors[node.inputs[0]].shape[1]
    kernels, height, width, _ = graph.tensors[node.inputs[1]].shape
    over_all = kernels == graph.tensors[node.outputs[0]].shape[-1]  # a depthwise one has its channels elsewhere
    return over_all and rows == height == 1 and width > 1 and node.attrs.stride[1] > 1


def _is_limited_transposed(graph: Graph, node: Node) -> bool:
    dtype = graph.tensors[node.outputs[0]].dtype
    return isinstance(node.attrs, TransposeConvAttrs) and dtype in _QUANTIZED and node.attrs.clamp != dtype.range


def _averages_batches(graph: Graph, node: Node) -> bool:
    pools = isinstance(node.attrs, PoolAttrs) and has(node, Trait.AVERAGES) and _is_int8(graph, node.inputs[0])
    return pools and graph.tensors[node.inputs[0]].shape[0] > 1


def _is_int8(graph: Graph, tensor: int) -> bool:
    return graph.tensors[tensor].dtype is DType.INT8
