"""The Cortex-M55 where Arm's program of TFLM is not installed: a line says how to get it, and nothing else changes."""

from __future__ import annotations

import pytest

from harness.errors import OptionError
from harness.report.document import run_document
from harness.runtimes import TFLM
from harness.runtimes.tflm import runner
from harness.runtimes.tflm.runner import RunnerMissingError
from harness.validate.card import RandomVectors, card_for_model, load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.models import real_model
from tests.support.paths import FIXTURES

BOARD = "mps3-an547"
OPTIONS = {"opinions": (), "link": "fast"}


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch):
    monkeypatch.delenv(runner.VARIABLE, raising=False)
    monkeypatch.setattr(runner, "PACKAGE", "no-such-package-of-arm")


def test_one_line_of_the_report_says_how_to_get_it():
    outcome = Workbench().validate(load_card(FIXTURES / "digits.hil.yaml"), BOARD, Options(**OPTIONS))
    assert outcome.passed and not outcome.opinions
    (note,) = [note for note in outcome.notes if "TFLM" in note]
    assert note.startswith("no live TFLM: ") and "pip install --no-deps mlia-ethos-u" in note
    (estimated,) = run_document(outcome)["baselines"]
    assert estimated["origin"]["total"] == "estimated" and not estimated["live"]
    assert estimated["total"] == pytest.approx(sum(value for _, value in outcome.baselines[0].layers), rel=0.01)


def test_recorded_figures_stand_there_with_their_build():
    card = card_for_model(real_model("mlperftiny_ad_int8")).model_copy(update={"vectors": RandomVectors(random=1)})
    outcome = Workbench().validate(card, BOARD, Options(**OPTIONS))
    assert [(b.kernels, b.live) for b in outcome.baselines] == [("reference", False), ("cmsis-nn", False)]
    assert all("TFLM 90b983c, GCC 12.2.1" in b.build for b in outcome.baselines)


def test_asked_for_by_name_it_is_an_error():
    card = load_card(FIXTURES / "digits.hil.yaml")
    with pytest.raises(RunnerMissingError) as caught:
        Workbench().validate(card, BOARD, Options(**OPTIONS, runtime=TFLM))
    assert "pip install --no-deps mlia-ethos-u" in caught.value.hint


def test_a_file_named_in_its_place_that_is_not_it_ends_the_run(tmp_path):
    """Beside a run of tinyhil, too: who names a file wants it."""
    wrong = tmp_path / "wrong.axf"
    wrong.write_bytes(b"\x7fELF")
    with pytest.raises(OptionError, match="not a file that is known"):
        Workbench().validate(
            load_card(FIXTURES / "digits.hil.yaml"), BOARD, Options(**OPTIONS, tflm_runner=wrong)
        )
