"""TFLM's recorded figures: matched by model, core and unit only, and laid beside tinyhil's layers without loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.compiler.compile import compile_graph
from harness.frontends.tflite.reader import load
from harness.units import Unit
from harness.validate import baselines
from harness.validate.baselines import by_layer, find, missing_reason
from tests.support.models import real_model

KWS = "mlperftiny_kws_int8"


def kws_sha() -> str:
    return next(b.sha256 for b in baselines.records().values() if b.model == KWS)


def test_a_record_matches_model_core_kernels_and_unit():
    found = find(kws_sha(), "cortex-m7", "reference", Unit.INSTRUCTIONS)
    assert found.model == KWS
    assert found.total == 43_614_517
    assert found.total >= sum(value for _, value in found.layers)
    assert find(kws_sha(), "cortex-m7", "cmsis-nn", Unit.INSTRUCTIONS).total < found.total


@pytest.mark.parametrize(
    ("core", "unit", "words"),
    [
        ("cortex-m7", Unit.INSTRUCTIONS, "no recorded TFLM figures for this model"),
        ("cortex-m0plus", Unit.INSTRUCTIONS, "nothing is known of TFLM on cortex-m0plus"),
        ("cortex-m7", Unit.CYCLES, "not comparable"),
        ("host", Unit.HOST_NS, "not comparable"),
        ("cortex-m7", None, "no time to tell"),
    ],
)
def test_what_has_no_figures_says_why(core, unit, words):
    assert unit is None or find("0" * 64, core, "reference", unit) is None
    assert words in missing_reason(core, unit)


def test_provenance_is_kept():
    content = baselines.provenance()
    assert len(content["provenance"]["tflite_micro"]) == 40
    assert "instructions" in content["units"]


@pytest.mark.parametrize("name", [KWS, "mlperftiny_ic_int8", "mlperftiny_vww_int8", "mlperftiny_sww_int8"])
@pytest.mark.parametrize("kernels", baselines.KERNEL_SETS)
def test_every_operator_of_tflm_is_counted_once_beside_the_plan(name, kernels):
    graph = load(real_model(name))
    plan = compile_graph(graph, core="cortex-m4")
    record = find(graph.sha256, "cortex-m4", kernels, Unit.INSTRUCTIONS)
    places = by_layer(record, plan)
    assert sum(p.value for p in places) == sum(value for _, value in record.layers)
    sources = [s for p in places for s in p.sources]
    assert sorted(sources) == list(range(len(graph.source_ops)))
    assert [p.layer for p in places if p.layer is not None] == list(range(len(plan.layers)))


def test_a_record_of_other_operators_is_not_laid_beside_layers():
    graph = load(real_model(KWS))
    plan = compile_graph(graph, core="cortex-m4")
    record = find(graph.sha256, "cortex-m4", "reference", Unit.INSTRUCTIONS)
    assert by_layer(replace(record, layers=record.layers[:-1]), plan) == ()
