"""The specification equals TFLM on every byte of every tensor."""

from __future__ import annotations

import numpy as np
import pytest

from harness.frontends import load
from harness.ir.graph import Graph, NoAttrs, Node, State, Tensor
from harness.ir.operators import operator_of
from harness.ir.operators.fully_connected import FullyConnectedAttrs
from harness.ir.window import ConvAttrs, Pads, PoolAttrs
from harness.oracle import OracleSession, open_oracle
from harness.quantization.types import Array, DType, Quantization
from harness.validate.rounding import EXACT, Allowance, allowance_of
from tests.support.draft import Draft
from tests.support.generated import KINDS, random_graph, random_inputs
from tests.support.models import WAKE_WORDS, real_model, wake_word_model
from tests.support.scale import scaled
from tests.support.typed import combination_graphs, combinations

MODELS = (
    *("mlperftiny_kws_int8", "mlperftiny_vww_int8", "mlperftiny_ic_int8", "mlperftiny_ad_int8", "mlperftiny_sww_int8"),
    *("tflm_micro_speech_quantized", "tflm_hello_world_int8", "tinymaix_mnist_resnet_q", "tinymaix_mnist_valid_q"),
)

RECURRENT = ("tflm_keyword_scrambled_8bit", "tflm_trained_lstm_int8")


def noise(graph: Graph, rng: np.random.Generator) -> list[Array]:
    tensors = [graph.tensors[i] for i in graph.inputs]
    return [rng.integers(t.dtype.range[0], t.dtype.range[1] + 1, t.shape).astype(t.dtype.numpy) for t in tensors]


def assert_close(ours: Array, theirs: Array, allowed: Allowance, where: str) -> None:
    """Equal, or floats as near as the operator states."""
    if allowed == EXACT or ours.dtype != np.float32:
        np.testing.assert_array_equal(ours, theirs, where)
    else:
        assert allowed.covers(theirs, ours).all(), where


def assert_agree(graph: Graph, spec: OracleSession, tflm: OracleSession, vectors: list[list[Array]]) -> None:
    ops = {graph.tensors[i].source: f"{node.op} {node.attrs}" for node in graph.nodes for i in node.outputs}
    near = {graph.tensors[i].source: allowance_of(operator_of(node)) for node in graph.nodes for i in node.outputs}
    for step, vector in enumerate(vectors):
        ours, theirs = spec.invoke(vector, tensors=True), tflm.invoke(vector, tensors=True)
        assert set(theirs.tensors) == set(ours.tensors)
        for source, array in theirs.tensors.items():
            assert ours.tensors[source].dtype == array.dtype
            where = f"step {step}, tensor {source}: {ops.get(source, 'input')}"
            assert_close(ours.tensors[source], array, near.get(source, EXACT), where)
        for number, pair in enumerate(zip(ours.outputs, theirs.outputs, strict=True)):
            source = graph.tensors[graph.outputs[number]].source
            assert_close(*pair, near.get(source, EXACT), f"step {step}, output {number}")


@pytest.mark.parametrize("kind", KINDS)
def test_random_graphs_agree(kind: str) -> None:
    # 300 graphs by default and 2,500 in the long run, spread over the kinds.
    for number in range(-(-scaled(300, 2500) // len(KINDS))):
        rng = np.random.default_rng([2, KINDS.index(kind), number])
        graph = random_graph(rng, kind)
        assert graph.nodes, f"example {number}"
        assert_agree(graph, open_oracle("spec", graph), open_oracle("tflm", graph), random_inputs(graph, rng, 3))


@pytest.mark.parametrize("part", range(scaled(1, len(combinations()))))
def test_random_graphs_of_every_type_agree(part: int) -> None:
    """One graph of each combination of operator and types; 200 of each in a long run."""
    parts = scaled(range(len(combinations())), [part])
    for graph in (graph for number in parts for graph in combination_graphs(number, seed=207, each=scaled(1, 200))):
        rng = np.random.default_rng([207, len(graph.model)])
        with open_oracle("spec", graph) as spec, open_oracle("tflm", graph) as tflm:
            assert_agree(graph, spec, tflm, random_inputs(graph, rng, 3))


@pytest.mark.parametrize("name", MODELS)
def test_real_models_agree(name: str) -> None:
    graph = load(real_model(name))
    rng = np.random.default_rng(0)
    vectors = [noise(graph, rng) for _ in range(scaled(3, 20))]
    assert_agree(graph, open_oracle("spec", graph), open_oracle("tflm", graph), vectors)


@pytest.mark.parametrize("name", [*WAKE_WORDS, *RECURRENT])
def test_models_with_states_agree_over_a_sequence_and_after_a_reset(name: str) -> None:
    graph = load(real_model(name) if name in RECURRENT else wake_word_model(name))
    rng = np.random.default_rng(0)
    with open_oracle("spec", graph) as spec, open_oracle("tflm", graph) as tflm:
        assert_agree(graph, spec, tflm, [noise(graph, rng) for _ in range(scaled(30, 100))])
        spec.reset()
        tflm.reset()
        assert_agree(graph, spec, tflm, [noise(graph, rng) for _ in range(3)])


def delay_line() -> Graph:
    """Gives the input of the step before; the first output is 7 everywhere."""
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.5,), (3,))
    x = draft.input((1, 2, 2, 1), quant)
    draft.states.append(State("last", DType.INT8, np.full((1, 2, 2, 1), 7, np.int8), quant))
    y, pooled = draft.tensor((1, 2, 2, 1), quant), draft.tensor((1, 2, 2, 1), quant)
    draft.node("READ_VARIABLE", (), (y,), NoAttrs(), (0,))
    draft.node("MAX_POOL_2D", (x,), (pooled,), PoolAttrs((1, 1), (1, 1), Pads(), (-128, 127)))
    draft.node("ASSIGN_VARIABLE", (pooled,), (), NoAttrs(), (0,))
    return draft.finish("delay", (y,))


@pytest.mark.parametrize("name", ["spec", "tflm", "litert-ref"])
@pytest.mark.parametrize("isolated", [False, True])
def test_reset_brings_initial_values_back(name: str, isolated: bool) -> None:
    graph = delay_line()
    vector = [np.arange(4, dtype=np.int8).reshape(1, 2, 2, 1)]
    with open_oracle(name, graph, isolated=isolated) as session:
        for _ in range(2):
            assert session.invoke(vector).outputs[0].ravel().tolist() == [7, 7, 7, 7]
            assert session.invoke(vector).outputs[0].ravel().tolist() == [0, 1, 2, 3]
            session.reset()


def test_inputs_are_set_anew_for_every_inference() -> None:
    # TFLM may place activations where the inputs were.
    graph = load(real_model("mlperftiny_kws_int8"))
    vector = noise(graph, np.random.default_rng(1))
    with open_oracle("tflm", graph) as session:
        first = session.invoke(vector, tensors=True)
        again = session.invoke(vector, tensors=True)
    assert len(first.tensors) > len(graph.nodes)
    for source, array in first.tensors.items():
        np.testing.assert_array_equal(array, again.tensors[source])


def test_results_of_one_inference_survive_the_next() -> None:
    graph = random_graph(np.random.default_rng(1), "RELU")
    a, b = random_inputs(graph, np.random.default_rng(1), 2)
    with open_oracle("tflm", graph) as session:
        first = session.invoke(a)
        kept = first.outputs[0].copy()
        assert not np.array_equal(session.invoke(b).outputs[0], kept)
        np.testing.assert_array_equal(first.outputs[0], kept)


def test_specification_runs_explicit_pads_and_clamps_that_no_file_can_say() -> None:
    # After passes a graph may pad by any amount: 1 above and 2 on the right, of a 2x2 sum, clamped to -5..5.
    from harness.ir.interpreter import run

    quant = Quantization((1.0,), (0,))
    weights = np.ones((1, 2, 2, 1), np.int8)
    tensors = (
        Tensor("x", (1, 2, 2, 1), DType.INT8, quant),
        Tensor("w", (1, 2, 2, 1), DType.INT8, quant, weights),
        Tensor("y", (1, 2, 3, 1), DType.INT8, quant),
    )
    attrs = ConvAttrs((1, 1), (1, 1), Pads(1, 0, 0, 2), (-5, 5))
    graph = Graph("padded", tensors, (Node("CONV_2D", (0, 1, -1), (2,), attrs),), (0,), (2,))
    x = np.array([1, 2, 3, 4], np.int8).reshape(1, 2, 2, 1)
    assert run(graph, [x]).outputs[0].ravel().tolist() == [3, 2, 0, 5, 5, 0]


@pytest.mark.parametrize("op", ["FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(("factor", "bias"), [(0.001, 2**31 - 1), (0.5, 2**29), (10.0, 2**31 - 5), (1e-5, -(2**31))])
def test_accumulators_and_left_shifts_that_overflow_wrap_as_in_tflm(op: str, factor: float, bias: int) -> None:
    draft = Draft(np.random.default_rng(0))
    one = Quantization((1.0,), (0,))
    dense = op == "FULLY_CONNECTED"
    shapes = {"FULLY_CONNECTED": (8, 8), "CONV_2D": (8, 1, 1, 8), "DEPTHWISE_CONV_2D": (1, 1, 1, 8)}
    x = draft.input((1, 8) if dense else (1, 1, 1, 8), one)
    w = draft.constant(np.full(shapes[op], 127, np.int8), one)
    b = draft.constant(np.full(8, bias, np.int32), one)
    y = draft.tensor(draft.shape(x), Quantization((1 / factor,), (0,)))
    clamp = (-128, 127)
    attrs = FullyConnectedAttrs(clamp) if dense else ConvAttrs((1, 1), (1, 1), Pads(), clamp)
    draft.node(op, (x, w, b), (y,), attrs)
    graph = draft.finish("overflow", (y,))
    vectors = [[np.full(draft.shape(x), value, np.int8)] for value in (127, -128, 5)]
    assert_agree(graph, open_oracle("spec", graph), open_oracle("tflm", graph), vectors)
