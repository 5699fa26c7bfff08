"""Vela's ways to place things: payloads, memories, and what an inference refuses by name."""

from __future__ import annotations

import numpy as np
import pytest

from harness.errors import UnsupportedModelError, VectorsError
from harness.frontends.tflite.vela_file import read_vela
from harness.npu.inference import NpuInference
from harness.oracle.specification import SpecInterpreter
from harness.oracle.tflm import TflmInterpreter
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.models import real_model
from tests.support.vela import compile_model, random_inputs

WAYS = {
    "COP2": ("--cop-format", "COP2"),
    "apart": ("--cop-format", "COP2", "--separate-io-regions"),
    "size": ("--optimise", "Size"),
    "SRAM alone": ("--memory-mode", "Sram_Only"),
    "small arena": ("--arena-cache-size", "4096"),
}


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-512"])
@pytest.mark.parametrize("way", WAYS)
def test_however_vela_places_things_results_are_the_same(way: str, accelerator: str) -> None:
    draft = Draft(np.random.default_rng(4))
    x = BUILDERS["CONV_2D"](draft, None)
    y = BUILDERS["LOGISTIC"](draft, x)
    graph = draft.finish("three", (BUILDERS["MUL"](draft, y),))
    inference = compile_model(graph.model, accelerator, *WAYS[way]).inference()
    assert inference is not None
    assert inference.model.operators[0][1].separate == (way == "apart")
    inputs = random_inputs(inference.model, np.random.default_rng(5))
    wanted, _ = SpecInterpreter(graph).invoke(inputs, ())
    for ours, theirs in zip(inference.run(inputs), wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_states_live_from_one_inference_to_the_next_as_in_tflm() -> None:
    original = real_model("tflm_trained_lstm_int8").read_bytes()
    compiled = compile_model(original, "ethos-u55-256")
    inference, tflm = compiled.inference(), TflmInterpreter(original)
    inputs = random_inputs(inference.model, np.random.default_rng(5))
    found = [inference.run(inputs)[0] for _ in range(3)]
    for ours in found:
        np.testing.assert_array_equal(ours, tflm.invoke(inputs, ())[0][0])
    assert not np.array_equal(found[0], found[1])
    np.testing.assert_array_equal(compiled.inference().run(inputs)[0], found[0])


def test_what_it_does_not_take_is_named() -> None:
    draft = Draft(np.random.default_rng(4))
    graph = draft.finish("one", (BUILDERS["RELU"](draft, None),))
    with pytest.raises(UnsupportedModelError, match="no operator 'ethos-u'"):
        read_vela(graph.model, "plain")
    with pytest.raises(UnsupportedModelError, match="an Ethos-U85"):
        read_vela(compile_model(graph.model, "ethos-u85-256").file, "for the U85")
    compiled = compile_model(graph.model, "ethos-u55-64").model
    with pytest.raises(VectorsError, match="0 inputs"):
        NpuInference(compiled).run([])
    with pytest.raises(VectorsError, match="float64"):
        NpuInference(compiled).run([np.zeros(3)])


def test_operators_left_to_the_cpu_are_named() -> None:
    compiled = compile_model(real_model("st_gmp_wl_24_int8").read_bytes(), "ethos-u55-64").model
    with pytest.raises(UnsupportedModelError, match="2 operators run on the CPU, of them QUANTIZE"):
        NpuInference(compiled)
