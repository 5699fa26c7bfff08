"""`tinyhil history`, `compare`, `import` and `validate --history`: exit codes, files, and errors without tracebacks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from harness.history.store import HistoryStore
from harness.report.bundle import Invocation, write_bundle
from tests.cli.host.test_cli import tinyhil
from tests.support.nights import night, one_byte_of_arena
from tests.support.plugin_run import copy_fixture


@pytest.fixture()
def history(tmp_path: Path) -> Path:
    """Three nights, of which the last has one byte more of arena."""
    path = tmp_path / "h.db"
    with HistoryStore(path) as store:
        for number in range(3):
            change = one_byte_of_arena if number == 2 else None
            store.add(night(number, change=change), session=f"n{number}")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """A bundle of a real run on the native board."""
    folder = tmp_path_factory.mktemp("bundle")
    card = copy_fixture("digits", folder)
    done = tinyhil("validate", card, "-b", "host", "--vectors", "2", "--no-opinions", "--report", folder / "b")
    assert done.returncode == 0, done.stderr
    return folder / "b"


def test_validate_keeps_results_and_compare_finds_them_alike(tmp_path):
    card = copy_fixture("digits", tmp_path)
    path = tmp_path / "h.db"
    common = ("validate", card, "-b", "host", "--vectors", "2", "--no-opinions")
    first = tinyhil(*common, "--history", path)
    assert first.returncode == 0 and f"Kept in {path}: run 1" in first.stderr
    again = tinyhil(*common, "--report", tmp_path / "b", TINYHIL_HISTORY=str(path))
    assert again.returncode == 0 and "run 2" in again.stderr
    assert tinyhil("import", tmp_path / "b", "--history", path).stdout.split()[-2:] == ["known", "1"]
    found = tinyhil("compare", "run:1", "run:2", "--history", path, "--json")
    document = json.loads(found.stdout)
    assert found.returncode == 0 and document["change"] == "unchanged" and document["subjects"][0]["model"] == "digits"


def test_a_regression_is_exit_code_1_and_stands_in_every_file(history, tmp_path):
    files = {name: tmp_path / name for name in ("m.md", "p.html", "j.xml", "q.json", "m.txt")}
    done = tinyhil(
        "compare", "last", "--history", history, "--markdown", files["m.md"], "--html", files["p.html"],
        "--junit", files["j.xml"], "--gitlab-codequality", files["q.json"], "--gitlab-metrics", files["m.txt"],
    )  # fmt: skip
    assert done.returncode == 1 and "4 regressed" in done.stdout and "+1 B" in done.stdout
    for name in ("m.md", "p.html", "j.xml", "q.json"):
        assert "arena" in files[name].read_text() and "+1 B" in files[name].read_text()
    assert ElementTree.parse(files["j.xml"]).getroot().get("failures") == "4"
    assert files["m.txt"].read_text().endswith("# EOF\n")
    assert tinyhil("compare", "n0", "n1", "--history", history).returncode == 0


def test_github_gets_annotations_and_a_summary(history, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = tinyhil("compare", "last", "--history", history, "--github", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4 and all(line.startswith("::error ") for line in done.stdout.splitlines())
    assert summary.read_text().startswith("before\n") and "4 regressed" in summary.read_text()


def test_runs_and_trends_and_acceptance(history, tmp_path):
    shown = tinyhil("history", "--history", history)
    assert shown.returncode == 0 and "12 runs" in shown.stdout and "n2" in shown.stdout
    assert "+0.0" in tinyhil("history", "kws", "--history", history).stdout
    document = json.loads(tinyhil("history", "kws", "--history", history, "--limit", "3", "--json").stdout)
    assert [run["run"] for run in document["runs"]] == [10, 9, 6]
    assert len(document["runs"][0]["layers"]) == 6 and document["runs"][0]["figures"]
    accepted = tinyhil("history", "--history", history, "--accept", "9", "--accept", "10", "--accept", "11",
                       "--accept", "12")  # fmt: skip
    assert accepted.returncode == 0
    with HistoryStore(history) as store:
        store.add(night(3, change=one_byte_of_arena), session="n3")
    assert tinyhil("compare", "last", "--history", history).returncode == 0
    page = tmp_path / "report.html"
    assert tinyhil("history", "--history", history, "--report", page).returncode == 0
    assert "What changed since the last good night" in page.read_text()


def test_a_policy_allows_what_it_says(history, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{metric: arena, absolute: 1}]")
    assert tinyhil("compare", "last", "--history", history, "--policy", policy).returncode == 0
    policy.write_text("rules: [{metric: arenas, absolute: 1}]")
    wrong = tinyhil("compare", "last", "--history", history, TINYHIL_POLICY=str(policy))
    assert wrong.returncode == 2 and "did you mean 'arena'" in wrong.stderr and str(policy) in wrong.stderr


def test_import_takes_what_is_whole_and_names_what_is_not(bundle, tmp_path):
    shutil.copytree(bundle, tmp_path / "all" / "good")
    shutil.copytree(bundle, tmp_path / "all" / "incomplete")
    (tmp_path / "all" / "incomplete" / "manifest.json").unlink()
    shutil.copytree(bundle, tmp_path / "all" / "changed")
    (tmp_path / "all" / "changed" / "results.json").write_text("{}")
    path = tmp_path / "h.db"
    done = tinyhil("import", tmp_path / "all", "--history", path, "--session", "old", "--json")
    outcomes = {Path(row["folder"]).name: row["outcome"] for row in json.loads(done.stdout)["bundles"]}
    assert outcomes == {"good": "added", "incomplete": "refused", "changed": "refused"} and done.returncode == 4
    assert "no manifest.json" in done.stdout and "differs from what" in done.stdout
    assert tinyhil("history", "--history", path, "--session", "old").returncode == 0
    assert tinyhil("import", bundle / "results.json", "--history", path).returncode == 0, "a copy of the same"
    with HistoryStore(path) as store:
        assert store.query("SELECT count(*) FROM bundles") == [(1,)]


def test_two_bundles_are_compared_without_a_history(bundle, tmp_path):
    document = json.loads((bundle / "results.json").read_text())
    one_byte_of_arena(document["runs"][0])
    document["runs"][0]["image"]["file"] = None
    write_bundle(tmp_path / "b", document["runs"], Invocation(["x"], document["tools"]))
    done = tinyhil("compare", bundle, tmp_path / "b", XDG_DATA_HOME=str(tmp_path / "none"))
    assert done.returncode == 1 and "arena" in done.stdout and not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["compare", "last"], 4, "there is no history yet"),
        (["history"], 4, "there is no history yet"),
        (["import", "nothing-here"], 4, "no such file or folder"),
        (["compare", "a", "b", "c"], 2, "3 names to compare"),
        (["compare"], 2, "Missing argument"),
        (["compare", "--bisect", "a", "b"], 2, "nothing to run"),
        (["validate", "digits.hil.yaml", "--history", "."], 4, "no file"),
    ],
)
def test_what_cannot_be_done_is_told_without_a_traceback(tmp_path, arguments, code, told):
    copy_fixture("digits", tmp_path)
    done = tinyhil(*arguments, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path / "none"))
    assert done.returncode == code and told in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "none").exists()


def test_files_that_cannot_be_written_are_named(history, tmp_path):
    (tmp_path / "file").write_text("")
    for option, command in (("--markdown", ["compare", "last"]), ("--report", ["history"])):
        done = tinyhil(*command, "--history", history, option, tmp_path / "file" / "x")
        assert done.returncode == 4 and "cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_the_first_bad_revision(tmp_path):
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments], cwd=tmp_path, check=True)

    git("init", "-q")
    for number in range(6):
        (tmp_path / "n").write_text(str(number))
        git("add", "n")
        git("commit", "-q", "-m", f"number {number}")
    words = ("compare", "--bisect", "HEAD~5", "HEAD", "--", "sh", "-c", "echo told; test $(cat n) -lt 3")
    done = tinyhil(*words, cwd=tmp_path, PATH=os.environ["PATH"])
    assert done.returncode == 0 and "number 3" in done.stdout
    assert "told" in done.stderr and "told" not in done.stdout
