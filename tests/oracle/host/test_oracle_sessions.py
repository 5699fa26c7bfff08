"""Oracles that fail: by name, with a hint, without a print, and never taking the caller with them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from harness.errors import OracleError, OracleMissingError, VectorsError
from harness.frontends.tflite.writer import write
from harness.ir.graph import Graph, NoAttrs
from harness.ir.operators.softmax import SoftmaxAttrs
from harness.oracle import open_oracle
from harness.oracle.isolated import IsolatedInterpreter
from harness.oracle.tflm import TflmInterpreter
from harness.quantization.types import DType, Quantization
from tests.support.draft import Draft
from tests.support.generated import random_graph, random_inputs
from tests.support.patience import ends


def one_op(op: str, attrs: NoAttrs | SoftmaxAttrs, scale: float, output: Quantization) -> Graph:
    draft = Draft(np.random.default_rng(0))
    x = draft.input((1, 8), Quantization((scale,), (0,)))
    draft.node(op, (x,), (draft.tensor((1, 8), output),), attrs)
    return draft.finish(op.lower(), (1,))


def test_a_refused_model_is_an_error_with_tflms_words_and_no_print(capfd: pytest.CaptureFixture[str]) -> None:
    graph = one_op("SOFTMAX", SoftmaxAttrs(1.0), 0.1, Quantization((1 / 256,), (5,)))
    with pytest.raises(OracleError) as caught:
        open_oracle("tflm", graph)
    assert "zero_point" in caught.value.details
    assert "SOFTMAX" in caught.value.details
    assert capfd.readouterr() == ("", "")


def test_a_failing_inference_is_an_error_with_tflms_words(capfd: pytest.CaptureFixture[str]) -> None:
    draft = Draft(np.random.default_rng(0))
    x = draft.input((1, 8), Quantization((0.1,), (0,)), DType.UINT8)
    draft.node("QUANTIZE", (x,), (draft.tensor((1, 8), Quantization((0.1,), (0,)), DType.UINT8),), NoAttrs())
    graph = draft.finish("unsupported", (1,))
    session = open_oracle("tflm", graph)
    with pytest.raises(OracleError) as caught:
        session.invoke([np.zeros((1, 8), np.uint8)])
    assert "not supported" in caught.value.details
    assert capfd.readouterr() == ("", "")


def test_a_model_that_aborts_tflm_costs_an_error_when_isolated() -> None:
    # TFLM checks by abort() that the scale is large enough.
    graph = one_op("SOFTMAX", SoftmaxAttrs(1.0), 1e-9, Quantization((1 / 256,), (-128,)))
    with pytest.raises(OracleError, match="SIGABRT"):
        open_oracle("tflm", graph, isolated=True)


def test_a_model_that_refuses_while_isolated_keeps_its_words() -> None:
    graph = one_op("LOGISTIC", NoAttrs(), 0.1, Quantization((1 / 256,), (5,)))
    with pytest.raises(OracleError) as caught:
        open_oracle("tflm", graph, isolated=True)
    assert "LOGISTIC" in caught.value.details


def test_a_hanging_child_is_ended_within_its_limit() -> None:
    graph = random_graph(np.random.default_rng(0), "ADD")
    with ends(), pytest.raises(OracleError, match="longer than 1e-06 s"):
        IsolatedInterpreter(graph.model, "tflm", time_limit_s=1e-6)


def test_a_failed_session_stays_failed_with_a_clear_error() -> None:
    graph = random_graph(np.random.default_rng(0), "RELU")
    session = open_oracle("tflm", graph, isolated=True)
    session.close()
    session.close()
    with pytest.raises(OracleError):
        session.invoke(random_inputs(graph, np.random.default_rng(0), 1)[0])


@pytest.mark.parametrize("kind", ["CHAIN", "STATE", "QUANTIZE", "SPLIT"])
def test_isolated_and_direct_give_the_same_bytes(kind: str) -> None:
    graph = random_graph(np.random.default_rng(5), kind)
    with open_oracle("tflm", graph) as direct, open_oracle("tflm", graph, isolated=True) as isolated:
        assert isolated.version == direct.version
        for vector in random_inputs(graph, np.random.default_rng(6), 3):
            a, b = direct.invoke(vector, tensors=True), isolated.invoke(vector, tensors=True)
            assert list(a.tensors) == list(b.tensors)
            for ours, theirs in zip((*a.outputs, *a.tensors.values()), (*b.outputs, *b.tensors.values()), strict=True):
                np.testing.assert_array_equal(ours, theirs)
                assert ours.dtype == theirs.dtype


def test_garbage_is_refused_by_every_interpreter_when_isolated() -> None:
    rng = np.random.default_rng(0)
    graph = random_graph(rng, "CONV_2D")
    damaged = bytearray(graph.model)
    for at in rng.integers(8, len(damaged), 40):
        damaged[at] = int(rng.integers(256))
    for name in ("tflm", "litert-ref"):
        with pytest.raises(OracleError):
            IsolatedInterpreter(bytes(damaged[: len(damaged) // 2]), name, time_limit_s=20)


def test_the_arena_grows_to_what_a_model_needs() -> None:
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.1,), (0,))
    x = draft.input((1, 3 << 20), quant)
    draft.node("RELU", (x,), (draft.tensor((1, 3 << 20), quant),), NoAttrs())
    graph = draft.finish("large", (1,))
    values = np.arange(3 << 20, dtype=np.int64).astype(np.int8).reshape(1, -1)
    with open_oracle("tflm", graph) as session:
        np.testing.assert_array_equal(session.invoke([values]).outputs[0], np.maximum(values, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is kept on Linux only")
@pytest.mark.parametrize("name", ["tflm", "litert-ref"])
def test_a_model_that_needs_more_memory_than_it_may_is_refused(name: str) -> None:
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.1,), (0,))
    x = draft.input((1, 64 << 20), quant)
    draft.node("RELU", (x,), (draft.tensor((1, 64 << 20), quant),), NoAttrs())
    model = draft.finish("large", (1,)).model
    with ends(), pytest.raises(OracleError):
        IsolatedInterpreter(model, name, memory_limit=64 << 20)
    IsolatedInterpreter(model, name, memory_limit=1 << 30).close()


def test_reading_every_tensor_does_not_leak() -> None:
    # TFLM's binding keeps a reference too many to each array it hands out.
    resource = pytest.importorskip("resource", reason="the system counts no memory this way")
    draft = Draft(np.random.default_rng(0))
    quant = Quantization((0.1,), (0,))
    x = draft.input((1, 1 << 20), quant)
    draft.node("RELU", (x,), (draft.tensor((1, 1 << 20), quant),), NoAttrs())
    session = TflmInterpreter(draft.finish("large", (1,)).model)
    vector = [np.zeros((1, 1 << 20), np.int8)]
    session.invoke(vector, [0, 1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(50):
        session.invoke(vector, [0, 1])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB; a leak would be 100,000


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(np.random.default_rng(0), "ADD")
    for module in ("tflite_micro.python.tflite_micro", "ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(OracleMissingError, match="tflite-micro"):
        open_oracle("tflm", graph)
    with pytest.raises(OracleMissingError, match="ai-edge-litert or tflite-runtime"):
        open_oracle("litert", graph)


def test_wrong_inputs_are_refused_before_any_interpreter_sees_them() -> None:
    graph = random_graph(np.random.default_rng(0), "RELU")
    vector = random_inputs(graph, np.random.default_rng(0), 1)[0]
    session = open_oracle("tflm", graph)
    with pytest.raises(VectorsError, match="takes 1 inputs, 2 were given"):
        session.invoke([*vector, *vector])
    with pytest.raises(VectorsError, match="t0"):
        session.invoke([vector[0].astype(np.float32)])


def test_unknown_oracles_and_models_without_a_file_are_refused() -> None:
    graph = random_graph(np.random.default_rng(0), "RELU")
    with pytest.raises(OracleError, match="no oracle 'tensorflow'"):
        open_oracle("tensorflow", graph)
    bare = Graph(graph.name, graph.tensors, graph.nodes, graph.inputs, graph.outputs)
    assert write(bare) == graph.model
    with pytest.raises(OracleError, match="has no file"):
        open_oracle("tflm", bare)
