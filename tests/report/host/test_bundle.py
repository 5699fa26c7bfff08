"""Bundles are complete or refused; figures and tables of results agree."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from harness.errors import BoardLostError, ResultsError
from harness.report import console, rows
from harness.report.bundle import (
    MANIFEST,
    RESULTS,
    Invocation,
    check_folder,
    read_bundle,
    results_document,
    write_bundle,
)
from harness.report.document import error_document, finite, run_document
from harness.report.html import render
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.plugin_run import break_layer

SESSION = Invocation(["tinyhil", "validate", "<x>"], {"tinyhil": "0", "qemu": "missing: <none>"})


@pytest.fixture(scope="module")
def run():
    return run_document(Workbench().validate(load_card(FIXTURES / "digits.hil.yaml"), "host", Options(opinions=())))


def test_a_bundle_can_be_read_back(tmp_path, run):
    page = write_bundle(tmp_path / "b", [run], SESSION)
    assert page.name == "report.html"
    results = read_bundle(tmp_path / "b")
    assert results["verdict"] == "pass"
    assert results["command"] == ["tinyhil", "validate", "<x>"]
    image = results["runs"][0]["image"]
    assert json.loads((tmp_path / "b" / MANIFEST).read_text())["files"][image["file"]] == image["sha256"]


def test_a_bundle_without_manifest_or_with_changed_files_is_refused(tmp_path, run):
    write_bundle(tmp_path, [run], SESSION)
    changed = (tmp_path / RESULTS).read_text()
    (tmp_path / RESULTS).write_text(changed.replace('"pass"', '"fail"'))
    with pytest.raises(ResultsError, match="differs"):
        read_bundle(tmp_path)
    write_bundle(tmp_path, [run], SESSION)
    (tmp_path / MANIFEST).unlink()
    with pytest.raises(ResultsError, match=r"no manifest\.json"):
        read_bundle(tmp_path)
    for rubbish in ("", "[]", '{"files": 3}', '{"files": {"x": "y"}}'):
        (tmp_path / MANIFEST).write_text(rubbish)
        with pytest.raises(ResultsError):
            read_bundle(tmp_path)


def test_runs_of_one_name_are_told_apart_by_their_files(run):
    other = {**run, "card": "elsewhere/digits.hil.yaml"}
    lost = error_document("lost", "host", BoardLostError("gone", hint="try"), "lost.hil.yaml")
    assert rows.names([run, run, lost]) == ["digits", "digits", "lost"]
    assert rows.names([run, other, lost]) == [run["card"], "elsewhere/digits.hil.yaml", "lost"]
    assert "elsewhere/digits.hil.yaml on host" in render(results_document([run, other, lost], SESSION))


def test_other_files_in_the_folder_stay(tmp_path, run):
    (tmp_path / "images").mkdir()
    for name in ("images/photo.png", "images/other.elf", "notes.txt"):
        (tmp_path / name).write_text("precious")
    for runs in ([run, run], [run], []):
        write_bundle(tmp_path, runs, SESSION)
        read_bundle(tmp_path)
    assert sorted(p.name for p in (tmp_path / "images").iterdir()) == ["other.elf", "photo.png"]
    assert (tmp_path / "notes.txt").read_text() == "precious"
    assert set(json.loads((tmp_path / MANIFEST).read_text())["files"]) == {"results.json", "report.html"}


@pytest.mark.parametrize("name", ["manifest.json", "results.json", "report.html"])
@pytest.mark.parametrize("content", ["", "{}", '{"name": "app", "version": 1}', "\xff"])
def test_files_of_the_same_name_that_are_no_bundles_are_not_overwritten(tmp_path, run, name, content):
    (tmp_path / name).write_text(content, encoding="latin-1")
    for act in (lambda: check_folder(tmp_path), lambda: write_bundle(tmp_path, [run], SESSION)):
        with pytest.raises(ResultsError, match=name):
            act()
    assert (tmp_path / name).read_text(encoding="latin-1") == content
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


def test_a_folder_that_cannot_be_written_is_told_before_the_run(tmp_path):
    check_folder(tmp_path / "not" / "yet" / "there")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "x"):
        with pytest.raises(ResultsError, match="cannot write the result bundle"):
            check_folder(folder)


def test_an_interrupted_bundle_is_incomplete_and_can_be_written_again(tmp_path, run):
    write_bundle(tmp_path, [run], SESSION)
    (tmp_path / MANIFEST).unlink()
    check_folder(tmp_path)
    write_bundle(tmp_path, [run], SESSION)
    assert read_bundle(tmp_path)["verdict"] == "pass"


def test_writing_again_replaces_the_older_bundle(tmp_path, run):
    write_bundle(tmp_path, [run], SESSION)
    write_bundle(tmp_path, [error_document("x", "host", BoardLostError("gone", hint="try"))], SESSION)
    results = read_bundle(tmp_path)
    assert results["verdict"] == "error"
    assert not (tmp_path / "images").exists()


def test_figures_agree_with_each_other(run):
    assert run["memory"]["arena_planned"] == run["memory"]["arena_measured"]
    assert sum(term["bytes"] for term in run["arena"]["sum"]) == run["arena"]["size"]
    assert sum(layer["value"] for layer in run["layers"]) == run["time"]["layers_sum"]
    for equation in (
        rows.flash_equation(run["image"]["groups"], run["memory"]["constants"]),
        rows.ram_equation({**run, "memory": {**run["memory"], "stack_measured": 100}}),
    ):
        total, *terms = [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", re.split(r"[(;]", equation)[0])]
        assert total == sum(terms), equation
    assert [t["bytes"] for role in ("inputs", "outputs") for t in run["model"][role]] == [64, 10]
    assert run["layers"][-1]["cumulative"] == pytest.approx(1.0)
    assert sum(map(sum, run["verdict"]["confusion"])) == run["vectors"]["count"]
    right = sum(row[i] for i, row in enumerate(run["verdict"]["confusion"]))
    assert run["verdict"]["accuracy"]["board"] == pytest.approx(right / run["vectors"]["count"])


def test_json_has_no_nan():
    assert finite({"a": [float("nan"), {"b": float("inf")}], "c": -float("inf"), "d": 1.5}) == {
        "a": ["NaN", {"b": "Infinity"}],
        "c": "-Infinity",
        "d": 1.5,
    }


def test_a_failing_run_shows_its_first_differing_layer(monkeypatch):
    break_layer(monkeypatch, 2)
    document = run_document(Workbench().validate(load_card(FIXTURES / "digits.hil.yaml"), "host", Options(opinions=())))
    assert not document["verdict"]["passed"]
    first = document["verdict"]["first_layer"]
    assert first["layer"] == 2
    assert first["first"]["expected"] != first["first"]["got"]
    text = rows.first_difference(document)
    assert f"layer 2 {first['name']} ({first['op']})" in text
    shown = io.StringIO()
    console.show(Console(file=shown, width=80), [console.table(rows.checks(document))])
    assert max(map(len, shown.getvalue().splitlines())) <= 120, "prose in tables wraps"
    assert " ".join(shown.getvalue().split()).count("first differing layer: 2") == 1


def test_plain_tables_line_up(run):
    lines = rows.summary([run, error_document("other", "host", BoardLostError("gone", hint="try"))]).plain()
    assert len({len(line) for line in lines[:2]}) == 1
    assert lines[2].split()[:3] == ["other", "host", "error"]
