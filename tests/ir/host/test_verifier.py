"""Every rule of the verifier refuses the graph that breaks it, and only that one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.errors import GraphError
from harness.frontends import load
from harness.frontends.tflite import reader as tflite
from harness.ir.graph import Graph, NoAttrs, Node, State, Tensor
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.joining import ConcatAttrs
from harness.ir.operators.mean import MeanAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.ir.operators.strided_slice import SliceAttrs
from harness.ir.verifier import verify
from harness.ir.window import Pads, PoolAttrs
from harness.quantization.types import DType, Quantization
from tests.support.generated import random_graph
from tests.support.graphs import FULL, Builder
from tests.support.models import real_model
from tests.support.scale import scaled

Q = Quantization((0.1,), (0,))
UNIT = Quantization((1 / 256,), (-128,))


def tensor(*shape: int, quant: Quantization | None = Q, dtype: DType = DType.INT8, data: Any = None) -> Tensor:
    return Tensor("t", shape, dtype, quant, data)


def single(op: str, inputs: list[Tensor], outputs: list[Tensor], attrs: Any = None) -> Graph:
    """A graph of one node; inputs without data are the graph's."""
    tensors = [*inputs, *outputs]
    n = len(inputs)
    ins = tuple(i for i, t in enumerate(inputs) if t.data is None)
    outs = tuple(range(n, n + len(outputs)))
    return Graph("g", tuple(tensors), (Node(op, tuple(range(n)), outs, attrs or NoAttrs()),), ins, outs)


def convolution(**change: Any) -> Graph:
    """A sound convolution with bias, with one thing changed: x, w, b, y (tensors) or attrs (fields)."""
    b = Builder()
    x = b.input(1, 5, 5, 2)
    y = b.conv(x, 4, pads=Pads(1, 1, 1, 1))
    scale = b.tensors[x].q.scale * b.tensors[1].q.scale
    bias = b.tensor(4, scale=scale, data=np.array([5, -5, 0, 1000], np.int32), dtype=DType.INT32)
    node = replace(b.nodes[0], inputs=(x, 1, bias))
    for name, index in (("x", x), ("w", 1), ("b", bias), ("y", y)):
        if name in change:
            b.tensors[index] = replace(b.tensors[index], **change[name])
    if "attrs" in change:
        node = replace(node, attrs=replace(node.attrs, **change["attrs"]))
    b.nodes[0] = node
    return b.graph(y)


def refused(graph: Graph) -> str:
    with pytest.raises(GraphError) as caught:
        verify(graph)
    assert caught.value.hint
    return caught.value.message


def test_sound_graphs_pass():
    verify(convolution())
    rng = np.random.default_rng(3)
    for _ in range(scaled(200, 2000)):
        verify(random_graph(rng))


# --- structure -------------------------------------------------------------------------------------------------------


def structure(change: Callable[[Graph], Graph]) -> Graph:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    y = b.add(x, x)
    return change(b.graph(b.add(y, x)))


def nodes(graph: Graph, **fields: Any) -> tuple[Node, ...]:
    return (replace(graph.nodes[0], **fields), *graph.nodes[1:])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda g: replace(g, nodes=nodes(g, inputs=(0, 99))), "reads tensor 99"),
        (lambda g: replace(g, nodes=nodes(g, outputs=(99,))), "writes tensor 99"),
        (lambda g: replace(g, nodes=nodes(g, outputs=(2,))), "which has its value already|before it is written"),
        (lambda g: replace(g, nodes=g.nodes[::-1]), "before it is written"),
        (lambda g: replace(g, nodes=nodes(g, inputs=(0, -1))), "misses an input that is not optional"),
        (lambda g: replace(g, nodes=nodes(g, inputs=(0, 0, 0))), "has 3 inputs"),
        (lambda g: replace(g, nodes=nodes(g, attrs=NoAttrs())), "has NoAttrs instead of BinaryAttrs"),
        (lambda g: replace(g, nodes=nodes(g, op="UNHEARD_OF")), "does not know"),
        (lambda g: replace(g, nodes=g.nodes[:1]), "nothing computes the output"),
        (lambda g: replace(g, inputs=()), "the graph's inputs"),
        (lambda g: replace(g, outputs=(2, 99)), "the graph's outputs"),
        (lambda g: replace(g, inputs=(0, 7)), "the graph's inputs"),
        (lambda g: replace(g, tensors=(replace(g.tensors[0], shape=(1, 0, 4, 2)), *g.tensors[1:])), "has shape"),
        (lambda g: replace(g, tensors=(replace(g.tensors[0], shape=(1 << 25,)), *g.tensors[1:])), "is larger than"),
    ],
)
def test_structure(change, what):
    import re

    assert re.search(what, refused(structure(change)))


def test_tensors_keep_their_data_and_quantization():
    zeros = np.zeros((1, 4), np.int8)
    zeros16 = np.zeros((1, 4), np.int16)
    x, y = tensor(1, 4), tensor(1, 4)
    add = BinaryAttrs(FULL)
    assert "has data of shape" in refused(single("ADD", [x, tensor(1, 5, data=zeros)], [y], add))
    assert "type int16" in refused(single("ADD", [x, tensor(1, 4, data=zeros16)], [y], add))
    bad = Quantization((0.1,), (0, 0))
    assert "1 scales and 2 zero points" in refused(single("ADD", [x, tensor(1, 4, quant=bad)], [y], add))
    far = Quantization((0.1,), (128,))
    assert "zero point outside int8" in refused(single("ADD", [x, tensor(1, 4, quant=far)], [y], add))
    none = tensor(1, 4, quant=None)
    assert "without quantization" in refused(single("ADD", [x, none], [y], add))


# --- layers with weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"x": {"shape": (1, 5, 5, 3)}}, "weights for 2"),
        ({"y": {"shape": (1, 5, 4, 4)}}, "gives 5 rows or columns"),
        ({"y": {"shape": (2, 5, 5, 4)}}, "changes the batch size"),
        ({"attrs": {"stride": (0, 1)}}, "zero kernel or stride"),
        ({"attrs": {"pads": Pads(-1, 1, 1, 1)}}, "negative padding"),
        ({"attrs": {"dilation": (9, 1)}}, "kernel larger than its padded input"),
        ({"attrs": {"clamp": (5, 4)}}, "clamp"),
        ({"attrs": {"clamp": (-200, 4)}}, "clamp"),
        ({"w": {"data": None}}, "before it is written"),
        ({"w": {"quant": Quantization((0.01,), (1,))}}, "zero point other than 0"),
        ({"w": {"quant": Quantization((0.01, 0.02), (0, 0), 0)}}, "without 1 or 4 scales"),
        ({"w": {"quant": Quantization((0.01,) * 4, (0,) * 4, 3)}}, "along axis 3, not 0"),
        ({"w": {"quant": Quantization((1e9,), (0,))}}, "overflow 32 bits|bias of scale"),
        ({"b": {"dtype": DType.INT8, "data": np.zeros(4, np.int8)}}, "not an int32 constant"),
        ({"b": {"shape": (3,), "data": np.zeros(3, np.int32)}}, "gives shape \\[4\\]"),
        ({"b": {"quant": Quantization((0.1,), (0,))}}, "bias of scale 0.1, not 0.001"),
        ({"b": {"data": np.full(4, -(2**31), np.int32)}}, "accumulators overflow 32 bits"),
        ({"x": {"dtype": DType.INT16}}, "makes int8 of int16"),
        ({"y": {"quant": Quantization((0.1, 0.2), (0, 0), 3)}}, "quantized per channel"),
    ],
)
def test_convolutions(change, what):
    import re

    assert re.search(what, refused(convolution(**change)))


def test_a_filter_of_zeros_may_have_any_bias_that_32_bits_hold():
    """A real model (MLPerf Tiny's vww) has such channels."""
    verify(convolution(w={"data": np.zeros((4, 3, 3, 2), np.int8)}, b={"data": np.full(4, 2**31 - 1, np.int32)}))
    assert "overflow" in refused(convolution(b={"data": np.full(4, 2**31 - 1, np.int32)}))


# --- other operators -------------------------------------------------------------------------------------------------

OTHER = Quantization((0.2,), (0,))
X, Y = tensor(1, 4, 4, 2), tensor(1, 4, 4, 2)


@pytest.mark.parametrize(
    ("graph", "what"),
    [
        (single("ADD", [X, tensor(1, 4, 4, 3)], [Y], BinaryAttrs(FULL)), "cannot broadcast"),
        (single("ADD", [X, tensor(1, 1, 1, 2)], [tensor(1, 4, 4, 1)], BinaryAttrs(FULL)), "gives shape"),
        (
            single("ADD", [X, X], [replace(Y, quant=Quantization((1e-8,), (0,)))], BinaryAttrs(FULL)),
            "output scale 1e-08 too small",
        ),
        (
            single("MUL", [X, X], [replace(Y, quant=Quantization((1e-8,), (0,)))], BinaryAttrs(FULL)),
            "overflow 32 bits",
        ),
        (single("MUL", [tensor(*[1] * 6, 2)] * 2, [tensor(*[1] * 6, 2)], BinaryAttrs(FULL)), "more than 6"),
        (single("SOFTMAX", [tensor(1, 9)], [tensor(1, 9)], SoftmaxAttrs(1.0)), "scale 1/256 and zero point -128"),
        (single("SOFTMAX", [tensor(1, 9)], [tensor(1, 9, quant=UNIT)], SoftmaxAttrs(0.0)), "has beta 0"),
        (single("SOFTMAX", [tensor(1, 9)], [tensor(1, 9, quant=UNIT)], SoftmaxAttrs(float("nan"))), "has beta nan"),
        (single("LOGISTIC", [tensor(1, 9)], [tensor(1, 9)]), "scale 1/256 and zero point -128"),
        (
            single("LOGISTIC", [tensor(1, 9, quant=Quantization((1e-20,), (0,)))], [tensor(1, 9, quant=UNIT)]),
            "outside 2\\^-58",
        ),
        (single("RELU6", [X], [replace(Y, quant=OTHER)]), "does not requantize"),
        (single("RELU", [X], [replace(Y, quant=Quantization((1e-9,), (0,)))]), "overflow 32 bits"),
        (single("CONCATENATION", [X, X], [tensor(1, 4, 4, 4)], ConcatAttrs(2, FULL)), "along axis 2"),
        (single("CONCATENATION", [X, X], [tensor(1, 4, 4, 5)], ConcatAttrs(3, FULL)), "4 of 5 elements"),
        (
            single("CONCATENATION", [X, replace(X, quant=OTHER)], [tensor(1, 4, 4, 4)], ConcatAttrs(3, FULL)),
            "does not requantize",
        ),
        (single("MEAN", [X], [tensor(1, 1, 1, 2)], MeanAttrs((1, 2), keep_dims=False)), "gives shape \\[1, 2\\]"),
        (single("MEAN", [X], [tensor(1, 2)], MeanAttrs((), keep_dims=False)), "has axes \\[\\]"),
        (single("MEAN", [X], [tensor(1, 2)], MeanAttrs((2, 1), keep_dims=False)), "has axes"),
        (
            single("AVERAGE_POOL_2D", [X], [tensor(1, 6, 6, 2)], PoolAttrs((2, 2), (1, 1), Pads(2, 1, 2, 1), FULL)),
            "nothing but padding",
        ),
        (
            single("MAX_POOL_2D", [X], [tensor(1, 2, 2, 2, quant=OTHER)], PoolAttrs((2, 2), (2, 2), Pads(), FULL)),
            "does not requantize",
        ),
        (single("PAD", [X], [Y], PadAttrs(((0, 0),) * 3, 0)), "pads"),
        (single("PAD", [X], [Y], PadAttrs(((0, 0), (-1, 1), (0, 0), (0, 0)), 0)), "negative padding"),
        (single("PAD", [X], [Y], PadAttrs(((0, 0),) * 4, 200)), "clamp"),
        (single("STRIDED_SLICE", [tensor(4)], [tensor(3)], SliceAttrs((2,), (1,), (3,))), "takes 3 elements from 2"),
        (single("STRIDED_SLICE", [tensor(4)], [tensor(3)], SliceAttrs((0,), (0,), (3,))), "by 0 of 4"),
        (single("RESHAPE", [X], [tensor(31)]), "makes \\[31\\]"),
        (single("RESHAPE", [X], [replace(Y, dtype=DType.UINT8)]), "makes uint8 of int8"),
        (single("QUANTIZE", [X], [replace(Y, dtype=DType.BOOL)]), "from int8 to bool"),
        (single("QUANTIZE", [replace(X, dtype=DType.UINT8)], [replace(Y, dtype=DType.UINT8)]), "from uint8 to uint8"),
        (single("DEQUANTIZE", [X], [Y]), "from int8 to int8"),
    ],
)
def test_operators(graph, what):
    import re

    assert re.search(what, refused(graph))


def test_variables_fit_their_state():
    graph = single("READ_VARIABLE", [], [tensor(1, 4)])
    graph = replace(graph, tensors=(*graph.tensors, tensor(1)), inputs=(1,))
    assert "has 0 states, not 1" in refused(graph)
    graph = replace(graph, nodes=(replace(graph.nodes[0], states=(0,)),))
    assert "refers to states [0], of 0" in refused(graph)
    held = State("s", DType.INT8, np.zeros((1, 4), np.int8))
    verify(replace(graph, states=(held,)))
    assert "gives shape [1, 3]" in refused(replace(graph, states=(replace(held, initial=np.zeros((1, 3), np.int8)),)))
    wide = State("s", DType.INT16, np.zeros((1, 4), np.int16))
    assert "has the state 's' of type int16" in refused(replace(graph, states=(wide,)))
    assert "state 's'" in refused(replace(graph, states=(replace(held, dtype=DType.INT16),)))


def test_real_models_keep_the_rules_after_import():
    for name in ("mlperftiny_vww_int8", "mlperftiny_ad_int8"):
        verify(load(real_model(name)))


def test_a_frontends_graph_is_verified():
    """load() itself refuses; nobody has to remember to verify."""
    b = Builder()
    x = b.input(1, 4, scale=0.1)
    y = b.tensor(1, 4, scale=0.2)
    b.node("RELU6", (x,), y)
    from harness.frontends.tflite.writer import write

    with pytest.raises(GraphError, match="does not requantize"):
        tflite.load(write(b.graph(y)))
