"""Random int8 graphs over all operators, with inputs for them: what property tests run on.

    graph = random_graph(rng)                   # any kind
    graph = random_graph(rng, op="CONV_2D")     # one operator
    graph = random_graph(rng, op="CHAIN")       # two or three operators, as networks have them
    graph = random_graph(rng, op="STATE")       # a streaming graph with variables
    graph = random_graph(rng, op="SPARSE")      # a network with dead channels
    graph = random_graph(rng, op="ROWS")        # a network that can be computed row by row
    vectors = random_inputs(graph, rng, 4)

Every graph is one that TFLM takes and defines; generation keeps away from what it leaves undefined: QUANTIZE of NaN or
beyond int32, accumulators that overflow int32. "PAD" makes PADV2 as well.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from harness.ir.graph import Graph, NoAttrs, State
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.quantization.types import Array, DType, Quantization
from tests.support.builders import BUILDERS, BYTE_FUNCTIONS
from tests.support.builders.common import image
from tests.support.draft import Draft, Rng, between, chance, pick, quantization, values
from tests.support.generated_rows import rows
from tests.support.generated_sparse import sparse

OPS = tuple(BUILDERS)
KINDS = (*OPS, "CHAIN", "STATE", "SPARSE", "ROWS")

LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
CHAINS = (
    *(("PAD", "CONV_2D"), ("PAD", "DEPTHWISE_CONV_2D", "CONV_2D"), ("CONV_2D", "RELU"), ("CONV_2D", "ADD")),
    *(
        ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"),
        ("CONV_2D", "RELU6", "MAX_POOL_2D"),
        ("ADD", "RELU"),
        ("MUL", "ADD"),
    ),
    *(("CONV_2D", "MEAN"), ("FULLY_CONNECTED", "SOFTMAX"), ("FULLY_CONNECTED", "FULLY_CONNECTED", "LOGISTIC")),
    *(("RESHAPE", "FULLY_CONNECTED"), ("CONV_2D", "CONCATENATION"), ("STRIDED_SLICE", "RESHAPE", "ADD")),
    *(("PAD", "AVERAGE_POOL_2D"), ("PAD", "MAX_POOL_2D"), ("SPLIT", "ADD"), ("QUANTIZE", "CONV_2D", "DEQUANTIZE")),
    *((function, other) for function in BYTE_FUNCTIONS for other in ("MUL", "QUANTIZE", "LOGISTIC")),
    *( ("PAD", "PAD", "CONV_2D"), ("CONCATENATION", "CONV_2D", "SPLIT_V")),
    *(("FULLY_CONNECTED", "SVDF", "FULLY_CONNECTED", "SVDF", "SOFTMAX"),),
    *(("FULLY_CONNECTED", "SVDF", "SVDF", "LOGISTIC"),),
    *((LSTM, "FULLY_CONNECTED", "SVDF"), (LSTM, LSTM, "RELU"), (LSTM, "TANH", "ADD")),
)
_OF_ANY_TYPE = {"RESHAPE", "STRIDED_SLICE", "CONCATENATION", "MUL", "ADD"}
"""Operators whose builders draw other types, where chains are int8."""
_WINDOWS = {"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"}


def random_graph(rng: Rng, op: str | None = None) -> Graph:
    """A graph of kind `op` (see KINDS), or of any kind; its model is the .tflite, its name tells the kind."""
    kind = op or pick(rng, *KINDS)
    draft = Draft(rng)
    if kind == "CHAIN":
        last = _chain(draft)
        while not _of_bytes(draft):
            draft = Draft(rng)
            last = _chain(draft)
    elif kind == "STATE":
        last = _stream(draft)
    elif kind in ("SPARSE", "ROWS"):
        last = sparse(draft) if kind == "SPARSE" else rows(draft)
    else:
        last = BUILDERS[kind](draft, None)
    written = draft.nodes[-1].outputs or (last,)
    outputs = written if kind not in ("STATE", "SPARSE", "ROWS") else (last,)
    used = {i for node in draft.nodes for i in node.inputs}
    loose = [i for node in draft.nodes for i in node.outputs if i not in used and i not in outputs]
    return draft.finish(kind.lower(), (*outputs, *loose))


def _of_bytes(draft: Draft) -> bool:
    """Whether all activations are int8, but for the operators that change types."""
    layers = [node for node in draft.nodes if node.op not in ("QUANTIZE", "DEQUANTIZE")]
    found = {draft.tensors[i].dtype for node in layers for i in (*node.inputs[:1], *node.outputs)}
    return found <= {DType.INT8}


def _chain(draft: Draft) -> int:
    ops = pick(draft.rng, *CHAINS)
    images = {*_WINDOWS, *BYTE_FUNCTIONS}.intersection(ops) and not {LSTM, "SVDF"}.intersection(ops)
    x: int | None = image(draft, None) if images or ops[0] in _OF_ANY_TYPE else None
    for op in ops:
        x = BUILDERS[op](draft, x)
        if op in _WINDOWS and chance(draft.rng, 0.1):
            x = BUILDERS["RELU6"](draft, x)
    assert x is not None
    return x


def _stream(draft: Draft) -> int:
    """One or two rings of the last frames: read, join the new frame, keep the newest, compute on the whole."""
    rng = draft.rng
    frames, width, depth = between(rng, 1, 3), between(rng, 1, 4), between(rng, 1, 6)
    quant = quantization(rng)
    x = draft.input((1, frames, width, depth), quant)
    for number in range(between(rng, 1, 2)):
        kept = between(rng, 1, 5)
        shape = (1, kept, *draft.shape(x)[2:])
        initial = np.full(shape, quant.zero_point, np.int8) if chance(rng, 0.5) else values(rng, shape, DType.INT8)
        state = State(f"ring{number}", DType.INT8, initial.astype(np.int8), draft.quant(x))
        draft.states.append(state)
        window = _ring(draft, x, len(draft.states) - 1, kept, draft.quant(x))
        x = BUILDERS[pick(rng, "CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "RELU")](draft, window)
    return x


def _ring(draft: Draft, x: int, state: int, kept: int, quant: Quantization) -> int:
    before = draft.tensor((1, kept, *draft.shape(x)[2:]), quant)
    draft.node("READ_VARIABLE", (), (before,), NoAttrs(), (state,))
    total = kept + draft.shape(x)[1]
    window = draft.tensor((1, total, *draft.shape(x)[2:]), quant)
    newest_first = chance(draft.rng, 0.25)
    parts = (x, before) if newest_first else (before, x)
    draft.node("CONCATENATION", parts, (window,), ConcatAttrs(1, (-128, 127)))
    newest = draft.tensor(draft.shape(before), quant)
    counts, begin = draft.shape(before), 0 if newest_first else total - kept
    draft.node("STRIDED_SLICE", (window,), (newest,), SliceAttrs((0, begin, 0, 0), (1, 1, 1, 1), counts))
    draft.node("ASSIGN_VARIABLE", (newest,), (), NoAttrs(), (state,))
    other = draft.rng.random()
    if other < 0.15:
        # what was read before is read again after the assignment
        return BUILDERS["RELU"](draft, before)
    return newest if other < 0.25 else window


def random_inputs(graph: Graph, rng: Rng, n: int, odd: float = 0.0) -> list[list[Array]]:
    """n vectors, each one array per input of the graph; corner values included.

    odd: share of floats that are no number, infinite, subnormal or near the largest. Some vectors are tiny throughout
        instead, so that products and sums are subnormal.
    """
    vectors = [[_array(graph, rng, index) for index in graph.inputs] for _ in range(n)]
    return [[_with_odd(array, rng, odd) for array in vector] for vector in vectors] if odd else vectors


_TINY = 0.3
"""Share of vectors that are tiny, where odd floats are asked for."""


def _with_odd(array: Array, rng: Rng, share: float) -> Array:
    if array.dtype != np.float32:
        return array
    if rng.random() < _TINY:
        return np.ldexp(array, -rng.integers(100, 145)).astype(np.float32)
    largest, least = np.finfo(np.float32).max, np.float32(1e-42)
    some = rng.choice(np.array([np.nan, np.inf, -np.inf, least, -least, largest, -largest], np.float32), array.shape)
    return np.where(rng.random(array.shape) < share, some, array)


def _array(graph: Graph, rng: Rng, index: int) -> Array:
    tensor = graph.tensors[index]
    if tensor.dtype is not DType.FLOAT32 or not any(index in n.inputs and n.op == "QUANTIZE" for n in graph.nodes):
        return values(rng, tensor.shape, tensor.dtype)
    # In units of the quantization it will get, with exact halves where rounding shows.
    users = [node for node in graph.nodes if index in node.inputs and node.op == "QUANTIZE"]
    scale = np.float32(graph.tensors[users[0].outputs[0]].q.scale) if users else np.float32(1)
    steps = rng.normal(0, 100, tensor.shape).astype(np.float32)
    return (np.where(rng.random(tensor.shape) < 0.3, np.round(steps) + np.float32(0.5), steps) * scale).astype(
        np.float32
    )


def graphs(op: str | None = None) -> st.SearchStrategy[Graph]:
    """Hypothesis strategy over seeds of random_graph."""
    return st.integers(0, 2**32 - 1).map(lambda seed: random_graph(np.random.default_rng(seed), op))
