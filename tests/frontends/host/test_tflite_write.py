"""What the writer writes, the importer and TFLM read as the same network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tflite

from harness.errors import GraphError
from harness.frontends.tflite.reader import load
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph, NoAttrs, Tensor
from harness.ir.interpreter import run
from harness.ir.operators.binary import BinaryAttrs
from harness.ir.operators.pad import PadAttrs
from harness.ir.window import ConvAttrs, Pads
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft
from tests.support.generated import KINDS, random_graph, random_inputs
from tests.support.scale import scaled
from tests.support.shapes import without_shapes


@pytest.mark.parametrize("kind", KINDS)
def test_a_written_graph_comes_back_and_computes_the_same(kind: str) -> None:
    for number in range(scaled(8, 80)):
        rng = np.random.default_rng([3, KINDS.index(kind), number])
        graph = random_graph(rng, kind)
        again = load(graph.model)
        assert again.sha256 == graph.sha256
        assert again.source_ops == graph.source_ops
        left = without_shapes(graph).nodes
        assert [(n.op, n.sources) for n in again.nodes] == [(n.op, n.sources) for n in left]
        assert [s.initial.tolist() for s in again.states] == [s.initial.tolist() for s in graph.states]
        states = again_states = None
        for vector in random_inputs(graph, rng, 2):
            ours, theirs = run(graph, vector, states), run(again, vector, again_states)
            states, again_states = ours.states, theirs.states
            for a, b in zip(ours.outputs, theirs.outputs, strict=True):
                np.testing.assert_array_equal(a, b, f"example {number}")


def test_writing_is_deterministic() -> None:
    for kind in KINDS:
        graph = random_graph(np.random.default_rng(1), kind)
        assert write(graph) == write(graph) == graph.model


def test_constants_are_aligned_for_use_in_place() -> None:
    graph = random_graph(np.random.default_rng(3), "CONV_2D")
    model = tflite.Model.GetRootAs(graph.model, 0)
    data = [model.Buffers(i).DataAsNumpy() for i in range(model.BuffersLength())]
    starts = [a.__array_interface__["data"][0] for a in data if isinstance(a, np.ndarray)]
    base = np.frombuffer(graph.model, np.uint8).__array_interface__["data"][0]
    assert starts
    assert all((start - base) % 16 == 0 for start in starts)


def conv(pads: Pads, out: tuple[int, int], clamp: tuple[int, int] = (-128, 127)) -> Graph:
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.1,), (0,))
    x = draft.input((1, 5, 5, 1), quant)
    w = draft.constant(np.ones((1, 3, 3, 1), np.int8), quant)
    y = draft.tensor((1, *out, 1), quant)
    draft.node("CONV_2D", (x, w), (y,), ConvAttrs((1, 1), (1, 1), pads, clamp))
    return draft.finish("conv", (y,))


def test_same_and_valid_are_recognised() -> None:
    for pads, out in ((Pads(), (3, 3)), (Pads(1, 1, 1, 1), (5, 5))):
        attrs = load(conv(pads, out).model).nodes[0].attrs
        assert isinstance(attrs, ConvAttrs)
        assert attrs.pads == pads


@pytest.mark.parametrize(("clamp", "name"), [((0, 127), "RELU"), ((0, 60), "RELU6"), ((-10, 10), "RELU_N1_TO_1")])
def test_clamps_become_fused_activations(clamp: tuple[int, int], name: str) -> None:
    model = tflite.Model.GetRootAs(conv(Pads(), (3, 3), clamp).model, 0)
    options = tflite.Conv2DOptions()
    table = model.Subgraphs(0).Operators(0).BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    assert options.FusedActivationFunction() == getattr(tflite.ActivationFunctionType, name)


def test_what_the_format_cannot_say_is_refused() -> None:
    with pytest.raises(GraphError, match="neither SAME nor VALID"):
        conv(Pads(2, 0, 1, 1), (5, 5))
    with pytest.raises(GraphError, match="clamped to -3..4"):
        conv(Pads(), (3, 3), (-3, 4))
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.1,), (0,))
    x = draft.input((1, 4), quant)
    draft.node("SQUEEZE", (x,), (draft.tensor((1, 4), quant),), NoAttrs())
    with pytest.raises(GraphError, match="drops nothing"):
        draft.finish("squeeze", (1,))
    graph = random_graph(np.random.default_rng(0), "ADD")
    unknown = replace(graph, nodes=(replace(graph.nodes[0], op="RNN"),))
    with pytest.raises(GraphError, match="RNN cannot be written"):
        write(unknown)


def test_pad_with_another_value_becomes_padv2() -> None:
    quant = Quantization((0.1,), (4,))
    for value, op in ((4, "PAD"), (-9, "PADV2")):
        draft = Draft(np.random.default_rng(0))
        x = draft.input((2,), quant)
        draft.node(op, (x,), (draft.tensor((4,), quant),), PadAttrs(((1, 1),), value))
        again = load(draft.finish("pad", (1,)).model)
        assert again.source_ops == (op,)
        assert isinstance(again.nodes[0].attrs, PadAttrs)
        assert again.nodes[0].attrs.value == value


def test_scalars_and_constant_operands_are_written() -> None:
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.5,), (1,))
    x = draft.input((3,), quant)
    two = draft.constant(np.array(5, np.int8), quant)
    draft.node("MUL", (x, two), (draft.tensor((3,), quant),), BinaryAttrs((-128, 127)))
    graph = draft.finish("scalar", (2,))
    assert graph.tensors[two].data is not None and graph.tensors[two].data.shape == ()
    again = load(graph.model)
    assert again.tensors[two].shape == ()
    assert run(again, [np.array([1, 3, -3], np.int8)]).outputs[0].tolist() == [1, 5, -7]


def test_generated_graphs_reach_the_corners() -> None:
    """That the generator is worth its name: left shifts, -128 weights, no bias, both quantizations, all activations."""
    seen: set[str] = set()
    for number in range(150):
        graph = random_graph(np.random.default_rng([4, number]), ("CONV_2D", "DEPTHWISE_CONV_2D")[number % 2])
        node = graph.nodes[0]
        x, w = graph.tensors[node.inputs[0]], graph.tensors[node.inputs[1]]
        y: Tensor = graph.tensors[node.outputs[0]]
        assert isinstance(node.attrs, ConvAttrs) and w.data is not None
        if y.dtype is not DType.INT8:
            continue
        factor = x.q.scale * max(w.q.scales) / y.q.scale
        facts = {
            "left shift": factor >= 1,
            "no bias": node.inputs[2] == -1,
            "-128": int(w.data.astype(int).min()) == -128,
            "per channel": w.q.per_channel,
            "per tensor": not w.q.per_channel,
            "groups": node.op == "CONV_2D" and w.shape[3] < x.shape[3],
            "multiplier": node.op != "CONV_2D" and w.shape[3] > x.shape[3],
            "dilation": node.attrs.dilation != (1, 1),
            "stride": node.attrs.stride != (1, 1),
            "padding": node.attrs.pads != Pads(),
            "clamp": node.attrs.clamp != (-128, 127),
            "batch": x.shape[0] > 1,
        }
        seen |= {name for name, holds in facts.items() if holds}
        expected = set(facts)
    assert seen == expected
