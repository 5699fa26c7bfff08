"""Whole packages of models with an NPU: our C with a driver that is the simulator, on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.frontends.tflite.reader import load
from harness.ir.graph import Graph
from harness.ir.interpreter import run
from harness.ir.operators import OPERATORS
from harness.quantization.types import Array, DType
from tests.support.generated import random_inputs
from tests.support.models import real_model
from tests.support.npu_graphs import npu_graphs
from tests.support.npu_package import FAILED, NpuPackage
from tests.support.scale import scaled
from tests.support.typed import typed_graphs
from tests.support.vela import compile_model

VECTORS = 2


def same(ours: tuple[Array, ...], theirs: tuple[Array, ...]) -> bool:
    pairs = zip(ours, theirs, strict=True)
    return all(np.array_equal(a, b, equal_nan=a.dtype == np.float32) for a, b in pairs)


def check(graph: Graph, folder: Path, vectors: list[list[Array]], model: Graph | None = None) -> NpuPackage:
    """Every inference is the specification's, of what Vela made and, where given, of the model that it was given."""
    folder.mkdir()
    package = NpuPackage(emit(compile_graph(graph, core="host")), folder)
    states = original = None
    for vector in vectors:
        wanted = run(graph, vector, states)
        states = wanted.states
        ours = package.invoke(vector)
        assert package.statuses[-1] == 0
        assert same(ours, wanted.outputs), [layer.op for layer in package.package.plan.layers]
        if model is not None:
            first = run(model, vector, original)
            original = first.states
            assert same(ours, first.outputs), [node.op for node in model.nodes]
    return package


@pytest.mark.parametrize("part", range(scaled(1, 20)))
def test_random_networks_with_operators_on_the_core_in_between(part: int, tmp_path: Path) -> None:
    between = carried = exact = 0
    for found in npu_graphs(500 + part, 14):
        vectors = random_inputs(found.model, np.random.default_rng(found.number), VECTORS)
        package = check(found.graph, tmp_path / str(found.number), vectors, found.model if found.exact else None)
        kinds = [node.op == "ethos-u" for node in found.graph.nodes]
        assert package.runs == VECTORS * sum(kinds)
        first, last = kinds.index(True), len(kinds) - kinds[::-1].index(True)
        between += not all(kinds[first:last])
        carried += any(tensor.name.startswith("bytes ") for tensor in found.graph.tensors)
        exact += found.exact
    assert between >= 3 and exact >= 3, "they are the point of it"
    assert carried, "streams hand something to later ones unnamed"


@pytest.mark.parametrize(
    "name", ["st_gmp_wl_24_int8", "tflm_trained_lstm_int8", "tflm_audio_preprocessor_int8", "mlperftiny_kws_int8"]
)
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-512"])
def test_models_of_others(name: str, accelerator: str, tmp_path: Path) -> None:
    """Floats around it, states on the NPU, states on the core between two parts on the NPU."""
    data = real_model(name).read_bytes()
    model = load(data, name=name)
    graph = load(compile_model(data, accelerator).file, name=name)
    check(graph, tmp_path / "package", random_inputs(model, np.random.default_rng(3), 3), model)


def test_models_of_uint8_stay_what_the_streams_are_of(tmp_path: Path) -> None:
    types = next(types for types in OPERATORS["QUANTIZE"].types if (types.x, types.y) == (DType.INT8, DType.UINT8))
    (graph,) = typed_graphs([("QUANTIZE", types)], seed=3, each=1)
    made = load(compile_model(graph.model, "ethos-u55-128").file, name="quantize")
    assert made.tensors[made.outputs[0]].dtype is DType.UINT8
    check(made, tmp_path / "package", random_inputs(graph, np.random.default_rng(3), 2), graph)


def test_an_npu_that_fails_ends_the_inference_and_the_next_one_works(tmp_path: Path) -> None:
    data = real_model("tflm_audio_preprocessor_int8").read_bytes()
    graph = load(compile_model(data, "ethos-u55-128").file, name="preprocessor")
    vector, *_ = random_inputs(graph, np.random.default_rng(3), 1)
    npu = NpuPackage(emit(compile_graph(graph, core="host")), tmp_path, fail_at=1)
    before = npu.invoke(vector)
    assert (npu.statuses, npu.runs, npu.reason) == ([4], 1, FAILED), "the second part on the NPU is not run"
    npu.restart()
    after = npu.invoke(vector)
    assert (npu.statuses, npu.runs, npu.reason) == ([4, 0], 3, 0)
    assert same(after, run(graph, vector).outputs) and not same(before, after)


def test_inputs_and_outputs_apart_from_the_arena(tmp_path: Path) -> None:
    data = real_model("mlperftiny_kws_int8").read_bytes()
    options = ("--cop-format", "COP2", "--separate-io-regions")
    graph = load(compile_model(data, "ethos-u55-64", *options).file, name="kws")
    assert {place.block for place in graph.places().values()} == {3, 4}
    check(graph, tmp_path / "package", random_inputs(graph, np.random.default_rng(3), 2), load(data))
