"""Real models: outputs and every layer equal TFLM, the arena is as planned, no layer slower than TFLM's reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.baselines import by_layer, find
from harness.card import RandomVectors, card_for_model
from harness.compare import Status
from harness.pipeline import Options, Outcome, Workbench
from harness.units import Unit
from tests.support.models import real_model, wake_word_models
from tests.support.scale import scaled

BASELINE_BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")
BOARDS = (*BASELINE_BOARDS, "mps2-an385", "mps2-an505")
MLPERF = ("kws", "vww", "ic", "ad", "sww")
MODELS = (
    *(f"mlperftiny_{name}_int8" for name in MLPERF),
    "tflm_micro_speech_quantized",
    "tinymaix_mnist_resnet_q",
    "tinymaix_mnist_valid_q",
)

_bench = Workbench()


def validated(model: Path, board: str, count: int, link: str = "fast") -> Outcome:
    """The model's outcome on a board; every check must have passed."""
    options = Options(link=link, vectors=RandomVectors(random=count, seed=1), opinions=(), layer_vectors=count)
    outcome = _bench.validate(card_for_model(model), board, options)
    assert outcome.passed, outcome.explain()
    statuses = {check.name: check.status for check in outcome.verdict.checks}
    assert statuses["outputs"] is statuses["layers"] is Status.PASS
    assert len(outcome.verdict.layers) >= len(outcome.plan.layers) - sum(
        not layer.outputs for layer in outcome.plan.layers
    )
    return outcome


@pytest.mark.parametrize("board", BASELINE_BOARDS)
@pytest.mark.parametrize("model", MODELS)
def test_every_layer_is_exact_and_none_slower_than_tflm(model: str, board: str) -> None:
    outcome = validated(real_model(model), board, scaled(2, 20))
    measured = outcome.measurement
    assert measured.arena_high == outcome.plan.arena_size and measured.arena_untouched == 0
    layers = measured.layer_ticks
    assert layers is not None and measured.total is not None
    assert sum(layers) == pytest.approx(measured.total, rel=0.001)
    baseline = find(outcome.graph.sha256, outcome.resolved.runs_on.core, "reference", Unit.INSTRUCTIONS)
    if baseline is not None:
        for row in by_layer(baseline, outcome.plan):
            if row.layer is not None:
                assert layers[row.layer] <= row.value, f"layer {row.layer} ({row.op})"
        assert measured.total < baseline.total


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", wake_word_models(), ids=lambda path: path.stem)
def test_wake_word_models_are_exact_over_a_sequence(model: Path, board: str) -> None:
    steps = scaled(20, 100)
    outcome = validated(model, board, steps)
    assert outcome.graph.states and len(outcome.measurement.outputs) == steps


def test_uart_carries_what_the_fast_link_carries() -> None:
    model = real_model("mlperftiny_kws_int8")
    by_uart, fast = (validated(model, "mps2-an500", 2, link).measurement for link in ("uart", "fast"))
    assert by_uart.layer_ticks == fast.layer_ticks and by_uart.total == fast.total


def test_two_profiles_are_the_same() -> None:
    model = real_model("mlperftiny_kws_int8")
    first, second = (validated(model, "mps2-an500", 1).measurement for _ in range(2))
    assert (first.total, first.layer_ticks) == (second.total, second.layer_ticks)
