"""Random networks of which Vela leaves some operators between others to the CPU.

    for graph, compiled in fallback_graphs(seed=1, count=8): ...

Integers only: of floats, compilers reorder sums. Left out is what Vela 5.2 (vela_differs.py and here) or TFLM's kernels
of the Cortex-M55 compute otherwise than the model says.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as numbers

import numpy as np

from harness.ethosu.payload import CUSTOM_CODE
from harness.frontends.tflite.schema import FileOperator, read_model
from harness.frontends.tflite.vela_file import VelaModel
from harness.ir.graph import Graph, Node
from harness.quantization.types import DType
from tests.support.mixed import mixed_graph
from tests.support.vela import ACCELERATORS, Compiled, compiled_or_refused
from tests.support.vela_differs import vela_differs

ON_THE_NPU = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "MAX_POOL_2D", "RELU", "TANH")
ON_THE_CPU = (
    *("ARG_MIN", "BATCH_TO_SPACE_ND", "BROADCAST_TO", "CUMSUM", "DEPTH_TO_SPACE", "GATHER", "GATHER_ND"),
    *("L2_NORMALIZATION", "RESIZE_BILINEAR", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH"),
)
INTEGERS = (DType.INT8, DType.INT16, DType.INT32)
U55 = tuple(name for name in ACCELERATORS if "u55" in name)


def fallback_graphs(seed: int, count: int) -> Iterator[tuple[Graph, Compiled]]:
    """So many networks, with what Vela makes of them for an Ethos-U55 of any size."""
    found = 0
    for number in numbers():
        if found == count:
            return
        graph = mixed_graph(np.random.default_rng([seed, number]), ON_THE_NPU + ON_THE_CPU)
        if any(t.dtype not in INTEGERS for t in graph.tensors) or _differs(graph):
            continue
        compiled = compiled_or_refused(graph.model, U55[number % len(U55)])
        if compiled is not None and _has_both(compiled.file) and _faithful(graph, compiled.model):
            found += 1
            yield graph, compiled


def _differs(graph: Graph) -> bool:
    return vela_differs(graph) or any(_broadcasts(graph, node) or _pads_a_slice(graph, node) for node in graph.nodes)


def _broadcasts(graph: Graph, node: Node) -> bool:
    """Whether an input is broadcast, of which Vela may read the first batch alone, or int32 may overflow."""
    if node.op not in ("ADD", "MUL"):
        return False
    result = graph.tensors[node.outputs[0]]
    return result.dtype is DType.INT32 or any(graph.tensors[t].shape != result.shape for t in node.inputs)


def _pads_a_slice(graph: Graph, node: Node) -> bool:
    """Whether a convolution pads what a slice gives it: Vela may have all of the padding below and to the right."""
    if node.op not in ("CONV_2D", "DEPTHWISE_CONV_2D") or not (node.attrs.pads.top or node.attrs.pads.left):
        return False
    makers = {tensor: maker for maker in graph.nodes for tensor in maker.outputs}
    maker = makers.get(node.inputs[0])
    while maker is not None and maker.op == "RESHAPE":
        maker = makers.get(maker.inputs[0])
    return maker is not None and maker.op in ("SLICE", "STRIDED_SLICE")


def _has_both(file: bytes) -> bool:
    on_the_npu = [op.custom == CUSTOM_CODE for op in read_model(file, "compiled")[0].operators]
    return any(on_the_npu) and not all(on_the_npu)


def _faithful(graph: Graph, model: VelaModel) -> bool:
    """Whether CPU operators see tensors of the model's own shapes: Vela may leave out a RESHAPE before one."""
    return all(_shapes_kept(graph, model, op) for op in model.subgraph.operators if op.custom != CUSTOM_CODE)


def _shapes_kept(graph: Graph, model: VelaModel, op: FileOperator) -> bool:
    tensors = model.subgraph.tensors
    names = {tensor.name: number for number, tensor in enumerate(graph.tensors)}
    result = names.get(tensors[op.outputs[0]].name)
    made = next((node for node in graph.nodes if result in node.outputs), None)
    if made is None:
        return False
    given = [graph.tensors[t].shape for t in made.inputs if t >= 0 and graph.tensors[t].data is None]
    seen = [tuple(tensors[t].shape) for t in op.inputs if t >= 0 and tensors[t].data is None]
    return sorted(given) == sorted(seen)
