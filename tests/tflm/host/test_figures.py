"""Where TFLM's figures come from: the record of the model, then layers as measured, then estimates; else not known."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from harness.tflm import costs, records
from harness.tflm.figures import figures, refusal
from harness.tflm.layer import TflmLayer
from harness.tflm.loops import LSTM_FORGETS
from harness.tflm.origin import Basis, TflmFigure, least_sure, shortened, total, unknown
from tests.support.models import real_model
from tests.support.paths import FIXTURES

DIGITS = (FIXTURES / "digits.tflite").read_bytes()
CORE = "cortex-m4"


def test_a_model_that_was_measured_has_its_record():
    data = real_model("mlperftiny_kws_int8").read_bytes()
    found = figures(data, hashlib.sha256(data).hexdigest(), "cortex-m33")
    record = records.recorded(hashlib.sha256(data).hexdigest()).runs["cortex-m33"]
    assert found.total == TflmFigure(record.total, Basis.RECORDED)
    assert {layer.figure.origin for layer in found.layers} == {Basis.RECORDED}
    assert sum(layer.figure.value for layer in found.layers) + costs.around("cortex-m33", 13) == record.total
    assert (found.arena.value, found.flash.value) == (record.arena, record.flash + len(data))


def test_layers_of_others_are_looked_up_before_they_are_estimated():
    found = figures(DIGITS, hashlib.sha256(DIGITS).hexdigest(), CORE)
    origins = [layer.figure.origin for layer in found.layers]
    assert origins[-1] is Basis.LOOKED_UP and origins[0] is Basis.ESTIMATED
    assert found.total.origin is Basis.ESTIMATED, "a sum is as sure as the least sure of its parts"
    assert found.layers[-1].figure.error > 0.3, "a SOFTMAX is what its data make it, looked up or not"
    estimated = figures(DIGITS, "", CORE, look_up=False)
    assert {layer.figure.origin for layer in estimated.layers} == {Basis.ESTIMATED}


def test_layers_add_up_to_the_inference_and_errors_are_told():
    found = figures(DIGITS, "", CORE)
    assert found.total.value == sum(layer.figure.value for layer in found.layers) + costs.around(CORE, 10)
    assert all(0 < layer.figure.error <= 1 for layer in found.layers)
    assert 0 < found.total.error <= max(layer.figure.error for layer in found.layers)
    assert all(0 < one.error < 0.5 for one in (found.arena, found.stack, found.flash))


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m85", "host", ""])
def test_of_other_cores_nothing_is_known(core):
    assert "nothing is known of TFLM on" in refusal(core) and "cortex-m55" in refusal(core)
    assert all(refusal(known) == "" for known in records.cores())


def test_an_operator_that_was_never_measured_is_named_and_the_sum_is_not_made_up():
    alone = TflmLayer("BATCH_MATMUL", ((1, 4, 4), (1, 4, 4)), ((1, 4, 4),), ("int8", "int8", "int8"))
    assert costs.estimate(alone, CORE) == unknown("BATCH_MATMUL of int8")
    parts = [TflmFigure(10, Basis.RECORDED), unknown("A"), TflmFigure(5, Basis.ESTIMATED, 0.1), unknown("B")]
    assert total(parts) == unknown("A, B")
    assert shortened("ABCDEA") == "A, B, C and 2 more"


def test_element_types_that_were_never_measured_are_not_known():
    measured = next(m.layer for m in records.layers() if m.layer.op == "CONV_2D" and m.layer.types[0] == "int8")
    hybrid = replace(measured, types=("float32", "int8", "float32"))
    assert costs.estimate(hybrid, CORE).reason == "CONV_2D of float32/int8"


def test_what_no_measured_layer_did_has_a_larger_error():
    measured = next(
        m.layer for m in records.layers()
        if m.layer.op == "SOFTMAX" and m.generated and m.layer.types[0] == "int8"
    )  # fmt: skip
    usual, kernel = costs.estimate(measured, CORE), ("SOFTMAX", "int8 to int8")
    known = costs.kernels(CORE)[kernel]
    less = replace(known, costs={name: value for name, value in known.costs.items() if name != "row"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "kernels", lambda core: {kernel: less})
        assert costs.estimate(measured, CORE).error >= costs.OUTSIDE * min(usual.error, 1 / costs.OUTSIDE)


def test_errors_add_up_as_if_all_went_one_way():
    found = total([TflmFigure(100, Basis.ESTIMATED, 0.1), TflmFigure(300, Basis.LOOKED_UP, 0.02)], besides=100)
    assert (found.value, found.origin) == (500, Basis.ESTIMATED)
    assert found.error == pytest.approx((10 + 6) / 500)
    assert least_sure([]) is Basis.RECORDED and least_sure([Basis.LIVE, Basis.UNKNOWN]) is Basis.UNKNOWN


def test_known_faults_stand_with_the_figures():
    data = real_model("tflm_trained_lstm_int8").read_bytes()
    assert figures(data, hashlib.sha256(data).hexdigest(), CORE).faults == (LSTM_FORGETS,)
    assert figures(DIGITS, "", CORE).faults == ()


def test_operators_that_are_much_alike_stand_in_with_a_large_error():
    measured = next(m.layer for m in records.layers() if m.layer.op == "RESHAPE" and m.layer.types[0] == "int8")
    squeezed = costs.estimate(replace(measured, op="SQUEEZE"), CORE)
    assert squeezed.value == costs.estimate(measured, CORE).value and squeezed.error == 0.5
    pad = next(m.layer for m in records.layers() if m.layer.op == "PAD" and m.layer.types[0] == "int8")
    assert costs.estimate(replace(pad, op="PADV2"), CORE) == costs.estimate(pad, CORE)
