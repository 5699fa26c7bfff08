"""Results documents of this version and older ones are taken; damaged ones are refused by the place that is wrong."""

from __future__ import annotations

import copy
import json
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BoardLostError, ResultsError
from harness.history.ingest import bundle_of, distinct, records_of
from harness.history.records import FigureKey, RunSubject
from harness.report.bundle import Invocation, results_document, write_bundle
from harness.report.document import error_document, run_document
from harness.report.environment import environment
from harness.runtimes.forms import Way
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.nights import night
from tests.support.paths import FIXTURES
from tests.support.results import on_a_chip, with_cycles

NEW_FIELDS = ("environment",)
NEW_OF_RUNS = ("runtime",)
"""Fields that bundles of tinyhil before the history lack."""


@pytest.fixture(scope="module")
def real():
    """The document of a run on the native board."""
    return run_document(Workbench().validate(load_card(FIXTURES / "residual.hil.yaml"), "host", Options(opinions=())))


def test_a_real_run_has_all_its_figures(real):
    (run,) = records_of(results_document([with_cycles(on_a_chip(real))], Invocation(["x"], {"tinyhil": "1"}))).runs
    assert run.subject == RunSubject("residual", "nucleo-f446", "balanced", "tinyhil")
    told = {f"{figure.metric} {figure.unit}" for figure in run.figures}
    assert told >= {
        "time instructions", "time modelled-cycles", "arena bytes", "stack bytes", "flash bytes", "constants bytes",
        "outputs.max_lsb LSB", "layers.differing layers", "accuracy share", "macs MACs", "ram.bss bytes",
    }  # fmt: skip
    layers = len(real["layers"])
    assert {figure.unit: len(values) for figure, values in run.layer_figures.items()} == {
        "instructions": layers, "modelled-cycles": layers,
    }  # fmt: skip
    assert [line.name for line in run.layout.lines] == [line["name"] for line in real["layers"]]
    assert set(run.layout.lines[0].tflm) == {"reference", "cmsis-nn"}
    assert run.facts["budgets"]["arena"]["limit"] == 1_000 and run.facts["chip"]["ram"]["size"] == 128 * 1024
    assert run.facts["tflm"]["reference"]["unit"] == "instructions"
    assert run.verdict == "fail" and run.why.startswith("arena: ")
    json.dumps(run.facts, allow_nan=False)


def test_a_bundle_of_before_the_history_is_taken(real, tmp_path):
    """Older documents lack fields that came later; they say nothing of revision and runtime."""
    document = results_document([real], Invocation(["tinyhil"], {"tinyhil": "0.1.0"}, environment=environment()))
    for field in NEW_FIELDS:
        del document[field]
    for field in NEW_OF_RUNS:
        del document["runs"][0][field]
    taken = records_of(document)
    assert taken.revision == "" and taken.runs[0].subject.runtime == "tinyhil"
    assert records_of({**document, "runs": [{"kind": "error", "name": "x", "file": "", "board": {"asked": "b"},
                                             "error": {"code": "c"}}]}).runs[0].subject.mode == ""  # fmt: skip


def test_documents_and_bundles_tell_the_revision(real, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_SHA", "1" * 40)
    monkeypatch.setenv("GITHUB_REF_NAME", "topic")
    monkeypatch.chdir(tmp_path)  # in no repository
    session = Invocation(["tinyhil"], {"tinyhil": "0"}, environment=environment())
    write_bundle(tmp_path / "b", [real], session)
    taken = bundle_of(tmp_path / "b")
    assert (taken.revision, taken.branch, taken.dirty) == ("1" * 40, "topic", False)
    assert taken.runs[0].facts["image_sha256"]


def test_what_an_error_ended_is_kept_as_such():
    error = BoardLostError("gone", hint="x")
    lost = error_document("kws", "nucleo-h743", error, "kws.hil.yaml", mode="ram", way=Way("tflm"))
    (run,) = records_of(results_document([lost], Invocation([], {}))).runs
    assert run.subject == RunSubject("kws", "nucleo-h743", "ram", "tflm")
    assert (run.verdict, run.figures, run.why) == ("error", {}, "board: gone [board-lost]")


def test_figures_of_others_are_taken():
    document = night(0)
    document["runs"][0]["figures"] = [{"metric": "energy", "unit": "uJ", "value": 12.5, "repeats": [12, 13.0]}]
    run = records_of(document).runs[0]
    assert run.figures[FigureKey("energy", "uJ")] == 12.5 and run.samples[FigureKey("energy", "uJ")] == (12, 13.0)


def test_models_of_one_name_are_told_apart_by_their_folder():
    assert distinct([("kws", "a/kws.yaml"), ("kws", "b/kws.yaml"), ("vww", "a/vww.yaml"), ("kws", "a/kws.yaml")]) == [
        "kws (a)", "kws (b)", "vww", "kws (a)",
    ]  # fmt: skip


def test_half_characters_do_not_reach_the_store():
    document = night(0)
    document["runs"][0]["name"] = "half \ud800 of one"
    document["runs"][1]["name"] = "a whole 🙂"
    names = [run.subject.model for run in records_of(document).runs[:2]]
    assert names[0].startswith("half ?") and names[0].encode() and names[1] == "a whole 🙂"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.update(schema="other"), "no results of tinyhil"),
        (lambda d: d.update(version=2), "schema version 2"),
        (lambda d: d.update(version="x"), "schema version 'x'"),
        (lambda d: d.pop("runs"), "runs: Field required"),
        (lambda d: d.update(created="yesterday"), "created: "),
        (lambda d: d.update(created=5), "created: "),
        (lambda d: d["runs"].append(7), "runs.4"),
        (lambda d: d["runs"][2].pop("verdict"), r"runs\.2\.verdict"),
        (lambda d: d["runs"][1]["layers"][3].update(value=float("inf")), r"runs\.1\.layers\.3\.value"),
        (lambda d: d["runs"][1]["memory"].update(flash=-1), r"runs\.1\.memory\.flash"),
        (lambda d: d["runs"][1]["memory"].update(flash=1 << 70), r"runs\.1\.memory\.flash"),
        (lambda d: d["runs"][0].update(name="x" * 20_000), r"runs\.0\.name"),
    ],
)
def test_a_damaged_document_is_refused_by_its_place(change, told):
    document = night(0)
    change(document)
    with pytest.raises(ResultsError, match=told):
        records_of(document, "the file")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([]) | st.just({})
DOCUMENT = night(0, layers=3, models=["kws"], boards=["mps2-an386"])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_other_value_at_any_place_is_taken_or_refused_in_words(data):
    document = copy.deepcopy(DOCUMENT)
    at = document
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        inner = at[key]
        if not (isinstance(inner, dict | list) and inner) or data.draw(st.integers(0, 5)) == 0:
            at[key] = data.draw(LEAVES)
            break
        at = inner
    try:
        taken = records_of(document, "the file")
    except ResultsError as error:
        assert "the file" in error.message and error.hint
    else:
        json.dumps([dict(run.facts) for run in taken.runs], allow_nan=False).encode()


@pytest.mark.parametrize("missing", ["manifest.json", "results.json"])
def test_an_incomplete_bundle_is_refused(real, tmp_path, missing):
    write_bundle(tmp_path / "b", [real], Invocation(["x"], {}))
    shutil.copytree(tmp_path / "b", tmp_path / "c")
    (tmp_path / "c" / missing).unlink()
    with pytest.raises(ResultsError, match=missing):
        bundle_of(tmp_path / "c")
    assert bundle_of(tmp_path / "b").runs
