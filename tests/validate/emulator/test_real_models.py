"""Real models by others, end to end on emulated boards: outputs and every layer equal TFLM's, and the figures hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards.backends.virtual import backend as virtual
from harness.compiler.goals import MODES, Overrides
from harness.units import Unit
from harness.validate.card import Card, RandomVectors, card_for_model
from harness.validate.options import Options
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from tests.support.models import WAKE_WORDS, real_model, wake_word_model
from tests.support.scale import scaled

MLPERF = [f"mlperftiny_{name}_int8" for name in ("kws", "vww", "ic", "ad", "sww")]
OTHERS = ["tflm_micro_speech_quantized", "tinymaix_mnist_resnet_q", "tinymaix_mnist_valid_q"]
RECURRENT = ["tflm_keyword_scrambled_8bit", "tflm_trained_lstm_int8"]
BOARDS = ["mps2-an386", "mps2-an500", "mps3-an547"]


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench()


def card(model: Path, vectors: int) -> Card:
    return card_for_model(model).model_copy(update={"vectors": RandomVectors(random=vectors)})


def check(outcome: Outcome) -> None:
    assert outcome.passed, outcome.explain()
    assert outcome.verdict.uncompared == ()
    assert {d.layer for d in outcome.verdict.layers} == {
        layer.index for layer in outcome.plan.layers if layer.outputs
    }
    measured = outcome.measurement
    assert measured.arena_high == outcome.plan.arena_size
    assert measured.unit is Unit.INSTRUCTIONS
    # What is no layer's: the call of each layer and the question whether someone observes it.
    between = measured.total - sum(measured.layer_ticks)
    assert 0 <= between <= max(0.001 * measured.total, 16 * len(outcome.plan.layers) + 60)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", [*MLPERF, *OTHERS])
def test_every_layer_of_20_vectors_is_exact(bench, name, board):
    check(bench.validate(card(real_model(name), 20), board, Options(link="fast", opinions=())))


@pytest.mark.parametrize("name", [*MLPERF, *OTHERS])
def test_over_the_uart_too(bench, name):
    check(bench.validate(card(real_model(name), scaled(2, 20)), "mps2-an500", Options(link="uart", opinions=())))


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", RECURRENT)
def test_svdf_and_lstm_are_exact_over_a_sequence(bench, name, board):
    check(bench.validate(card(real_model(name), 20), board, Options(link="fast", opinions=())))


@pytest.mark.parametrize("board", BOARDS[: scaled(1, 3)])
@pytest.mark.parametrize("name", WAKE_WORDS)
def test_wake_words_are_exact_over_a_sequence_of_100_steps(bench, name, board):
    outcome = bench.validate(card(wake_word_model(name), 100), board, Options(link="fast", opinions=()))
    assert outcome.graph.states
    check(outcome)


MODES_RUN = [
    (name, mode, board)
    for name in [*MLPERF, *WAKE_WORDS]
    for mode in MODES
    for board in ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547")
]


@pytest.mark.parametrize("case", MODES_RUN[:: scaled(41, 1)], ids="-".join)
def test_every_mode_is_exact_on_every_core(bench, case):
    name, mode, board = case
    model = wake_word_model(name) if name in WAKE_WORDS else real_model(name)
    options = Options(link="fast", opinions=(), overrides=Overrides(optimize=mode))
    check(bench.validate(card(model, 5), board, options))


@pytest.mark.parametrize("name", MLPERF[: scaled(1, 5)])
def test_two_runs_count_the_same(name):
    one, two = (
        Workbench().validate(card(real_model(name), 1), "mps2-an500", Options(link="fast", opinions=()))
        for _ in range(2)
    )
    assert one.measurement.total == two.measurement.total
    assert one.measurement.layer_ticks == two.measurement.layer_ticks


def test_a_second_run_compiles_nothing(bench, tmp_path):
    cold = Workbench(cache_dir=tmp_path)
    model = real_model("mlperftiny_kws_int8")
    assert cold.validate(card(model, 1), "mps2-an500", Options(link="fast", opinions=())).image.compiled > 0
    warm = Workbench(cache_dir=tmp_path)
    assert warm.validate(card(model, 1), "mps2-an500", Options(link="fast", opinions=())).image.compiled == 0


def test_a_board_that_is_absent_runs_its_stand_in_and_says_so(bench, monkeypatch):
    monkeypatch.setattr(virtual, "is_installed", lambda: False)
    outcome = bench.validate(card(real_model("mlperftiny_ad_int8"), 1), "nucleo-h743", Options(opinions=()))
    check(outcome)
    assert (outcome.resolved.asked.name, outcome.resolved.runs_on.name) == ("nucleo-h743", "mps2-an500")
    assert "stand-in: mps2-an500" in outcome.explain()
