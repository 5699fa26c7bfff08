"""A user's own model on an emulated core has TFLM beside it, by layer and as a whole, and is judged as without it."""

from __future__ import annotations

import pytest

from harness.report.document import run_document
from harness.tflm.origin import Basis
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an505"])
def test_every_layer_and_the_whole_stand_beside_tflm(board):
    outcome = Workbench().validate(load_card(FIXTURES / "residual.hil.yaml"), board, Options(opinions=(), link="fast"))
    (baseline,) = outcome.baselines
    assert outcome.passed and baseline.kernels == "cmsis-nn" and baseline.origin is Basis.ESTIMATED
    assert not [check for check in outcome.verdict.checks if "tflm" in check.name.lower()]
    document = run_document(outcome)
    (shown,) = document["baselines"]
    assert shown["per_layer"] and 0 < shown["error"] < 0.2 and 0 < shown["ratio"]["total"] < 1
    by_layer = sum(layer["tflm"]["cmsis-nn"] for layer in document["layers"])
    whole = by_layer + sum(removed["value"] for removed in shown["removed"])
    assert shown["total"] - whole == (61 + 39 * len(outcome.graph.source_ops)), "and the interpreter around them"
    assert {layer["tflm_origin"]["cmsis-nn"] for layer in document["layers"]} <= {"estimated", "looked-up"}


def test_a_core_that_nothing_is_known_of_says_so():
    outcome = Workbench().validate(load_card(FIXTURES / "digits.hil.yaml"), "mps2-an385", Options(opinions=()))
    assert outcome.baselines == ()
    assert run_document(outcome)["baseline_note"].startswith("nothing is known of TFLM on cortex-m3")
