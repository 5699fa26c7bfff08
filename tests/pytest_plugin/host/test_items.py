"""The pytest plugin, on the host board: items, options and their precedence, errors, reports, fixtures, xdist."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter

import pytest

from harness.compiler.emit import package
from harness.errors import BoardError, BuildError, LinkError, OracleError, VectorsError
from harness.pytest_plugin import items
from harness.report.bundle import read_bundle
from harness.validate.workbench import Workbench
from tests.support.crashing import CRASHING
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.plugin_run import break_layer, copy_fixture, plugin_arguments, run_pytest

DIGITS = FIXTURES / "digits.tflite"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    for name in ("BOARD", "MODEL", "VECTORS", "LINK", "REPORT", "ORACLE"):
        monkeypatch.delenv(f"TINYHIL_{name}", raising=False)


def test_a_card_becomes_one_item_per_check_and_board(pytester):
    copy_fixture("digits", pytester.path)
    result = run_pytest(pytester, "--collect-only", "-q", "--board", "host", "--board", "nucleo-h743")
    checks = ("outputs", "layers", "accuracy", "memory", "arena", "flash", "stack")
    result.stdout.fnmatch_lines(
        [f"digits.hil.yaml::{check}[[]{board}[]]" for board in ("host", "nucleo-h743") for check in checks]
    )
    result.stdout.fnmatch_lines(["14 tests collected*"])


def test_a_card_passes_and_the_summary_shows_it(pytester):
    copy_fixture("digits", pytester.path)
    result = run_pytest(pytester, "--board", "host", "-rs")
    result.assert_outcomes(passed=5, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "tinyhil: *link auto",
            "board: host (host, host)",
            "oracles: tflite-micro *",
            "model *verdict *",
            "digits *host *pass *0 *host-ns *",
            "*not measured here: host runs native code of this machine*",
        ]
    )


def test_a_run_that_cannot_be_made_in_a_test_of_ones_own_is_an_error_at_the_line_that_asked(pytester):
    pytester.makepyfile(
        """
        import pytest
        from harness.errors import VectorsError

        def test_missing(hil):
            hil.validate("none.tflite")  # asked here

        def test_oracle(hil):
            hil.validate("none.tflite", oracle="nobody")

        def test_no_vectors(hil):
            hil.run({model!r}, [])

        def test_expected(hil):
            with pytest.raises(VectorsError):
                hil.run({model!r}, [])
        """.format(model=str(DIGITS))
    )
    result = run_pytest(pytester, "--board", "host", "--junit-xml", "j.xml")
    result.assert_outcomes(passed=1, errors=3)
    text = result.stdout.str()
    assert "# asked here" in text
    assert "no oracle is named 'nobody'" in text
    assert "workbench.py" not in text
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "j.xml").iter("testcase")}
    assert cases["test_missing[host]"].find("error") is not None
    assert cases["test_missing[host]"].find("failure") is None


def test_the_one_line_of_a_failed_check_says_what_failed(pytester):
    card = copy_fixture("digits", pytester.path)
    limits = "{arena: 400, instructions: 1}"
    card.write_text(f"model: digits.tflite\nvectors: {{random: 1}}\nbudgets: {{default: {limits}}}\n")
    result = run_pytest(pytester, "--board", "host", "-k", "arena")
    result.stdout.fnmatch_lines(["FAILED digits.hil.yaml::arena* - arena: ?,??? bytes, *"])
    result.stdout.fnmatch_lines(["  instructions: not measured here: *"])


def test_an_unwritable_report_folder_is_told_before_the_run(pytester):
    copy_fixture("digits", pytester.path)
    (pytester.path / "file").touch()
    result = run_pytest(pytester, "--board", "host", "--report", "file")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*file: cannot write the result bundle: *"])


def test_a_model_without_a_card_in_an_empty_folder(pytester):
    result = run_pytest(pytester, "--board", "host", "--model", DIGITS, "--vectors", "3")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.OK


def test_a_model_alone_does_not_bring_the_whole_project_along(pytester):
    pytester.makepyfile("def test_other(): assert False")
    result = run_pytest(pytester, "--board", "host", "--model", DIGITS, "--vectors", "2", "--collect-only", "-q")
    assert "test_other" not in result.stdout.str()
    both = run_pytest(pytester, ".", "--board", "host", "--model", DIGITS, "--collect-only", "-q")
    assert "test_other" in both.stdout.str()
    assert "outputs[host]" in both.stdout.str()


def test_one_check_can_be_named(pytester):
    copy_fixture("digits", pytester.path)
    run_pytest(pytester, "digits.hil.yaml::outputs[host]", "--board", "host").assert_outcomes(passed=1)


def test_a_wrong_layer_fails_and_is_shown_by_itself(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)
    break_layer(monkeypatch, 2)
    result = run_pytest(pytester, "--board", "host", "-k", "layers")
    result.assert_outcomes(failed=1, deselected=6)
    result.stdout.fnmatch_lines(
        [
            "*first differing layer: 2 *expected *got *",
            "*first differing layer -*",
            "layer 2 *, tensor *",
            "*LSB: elements*",
            "digits *host *fail *",
        ]
    )


def test_what_keeps_a_check_from_being_made_is_an_error_with_a_hint(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)
    monkeypatch.setenv("TINYHIL_HOST_CC", "no-such-compiler")
    result = run_pytest(pytester, "--board", "host", "-k", "outputs or layers")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*no-such-compiler is not a program*", "try: *", "digits *host *error*"])
    assert "Traceback" not in result.stdout.str()
    assert "setup.py" not in result.stdout.str()


@pytest.mark.parametrize("kind", CRASHING)
def test_a_model_that_crashes_the_oracle_is_an_error_of_its_items_alone(pytester, kind):
    bad = pytester.path / f"{kind}.tflite"
    bad.write_bytes(CRASHING[kind]())
    result = run_pytest(pytester, bad, DIGITS, "--board", "host", "--vectors", "2")
    result.assert_outcomes(errors=3, passed=3)
    result.stdout.fnmatch_lines(["*the oracle 'tflm' crashed with SIG* on this model*", "digits *host *pass *"])


def test_a_run_is_made_once_for_all_its_checks(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)
    runs = []
    sound = Workbench.validate
    monkeypatch.setattr(Workbench, "validate", lambda self, *rest: runs.append(1) or sound(self, *rest))
    run_pytest(pytester, "--board", "host").assert_outcomes(passed=5, skipped=2)
    assert len(runs) == 1


RERUN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):  # as pytest-rerunfailures does with --reruns 1
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        for report in reports:
            report.outcome = "rerun" if report.failed else report.outcome
            item.ihook.pytest_runtest_logreport(report=report)
        item.session._setupstate.teardown_exact(None)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


def fail_once(monkeypatch, error):
    """Makes the first run of all end with an error; gives the list of the runs."""
    runs = []
    sound = Workbench.validate

    def validate(self, *rest):
        runs.append(rest)
        if len(runs) == 1:
            raise error
        return sound(self, *rest)

    monkeypatch.setattr(Workbench, "validate", validate)
    return runs


@pytest.mark.parametrize("kind", [BoardError, LinkError, OracleError, BuildError])
def test_a_fault_of_the_infrastructure_is_tried_again_when_the_item_is(pytester, monkeypatch, kind):
    copy_fixture("digits", pytester.path)
    pytester.makeconftest(RERUN)
    runs = fail_once(monkeypatch, kind("no answer", hint="look at it"))
    result = run_pytest(pytester, "--board", "host", "-k", "outputs or layers", "--report", "out")
    result.assert_outcomes(passed=2, deselected=5)
    assert len(runs) == 2
    assert [run["kind"] for run in read_bundle(pytester.path / "out")["runs"]] == ["run"]


def test_an_error_of_the_input_is_not_tried_again(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)
    runs = fail_once(monkeypatch, VectorsError("no such array", hint="add it"))
    run_pytest(pytester, "--board", "host", "-k", "outputs or layers").assert_outcomes(errors=2, deselected=5)
    assert len(runs) == 1


@pytest.mark.parametrize("own", [False, True])
def test_no_warning_where_warnings_are_errors(pytester, own):
    copy_fixture("digits", pytester.path)
    pytester.makepyfile(test_own='def test_own(hil): assert hil.validate("digits.hil.yaml", vectors=2).passed')
    (pytester.path / "pytest.ini").touch()
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *plugin_arguments()]
    done = subprocess.run(
        [*command, "--board", "host", "test_own.py" if own else "digits.hil.yaml"],
        capture_output=True,
        text=True,
        cwd=pytester.path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr


def test_its_manifest_and_its_document_are_made_once(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)
    made = Counter()

    def count(module, name):
        sound = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: made.update([name]) or sound(*given))

    count(package, "manifest")
    count(items, "run_document")
    run_pytest(pytester, "--board", "host", "--report", "out").assert_outcomes(passed=5, skipped=2)
    assert made == {"manifest": 1, "run_document": 1}


def test_a_wrong_card_is_a_collection_error_with_its_line(pytester):
    pytester.path.joinpath("bad.hil.yaml").write_text("model: a.tflite\nchecks: {output: exact}\n")
    result = run_pytest(pytester, "--board", "host")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*bad.hil.yaml: line 2: checks.output: unknown key*", "try: did you mean 'outputs'?"]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--board", "mps2-an5oo"], "mps2-an500"),
        (["--link", "fats"], "no link is named 'fats'"),
        (["--oracle", "x"], "no oracle is named 'x'"),
        (["--vectors", "many"], "neither an .npz or .wav file nor a number"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_runs(pytester, arguments, words):
    pytester.makepyfile("def test_other(): pass")
    result = run_pytest(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()


def collected_boards(pytester, *arguments):
    lines = run_pytest(pytester, "--collect-only", "-q", *arguments).outlines
    return {line.rpartition("[")[2].rstrip("]") for line in lines if "::outputs[" in line}


def test_precedence_is_command_line_environment_ini_default(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)
    assert collected_boards(pytester) == {"mps2-an500"}
    (pytester.path / "pytest.ini").write_text("[pytest]\nhil_board = mps2-an385 mps2-an505\n")
    assert collected_boards(pytester) == {"mps2-an385", "mps2-an505"}
    monkeypatch.setenv("TINYHIL_BOARD", "host,mps3-an547")
    assert collected_boards(pytester) == {"host", "mps3-an547"}
    assert collected_boards(pytester, "--board", "mps2-an386") == {"mps2-an386"}
    everything = collected_boards(pytester, "--board", "all")
    assert {"host", "mps2-an500", "mps3-an547"} <= everything
    assert "nucleo-h743" not in everything


def test_fixtures_for_tests_of_ones_own(pytester):
    copy_fixture("digits", pytester.path)
    pytester.makepyfile(
        """
        import numpy as np
        from pathlib import Path

        HERE = Path(__file__).parent

        def test_card(hil):
            outcome = hil.validate(HERE / "digits.hil.yaml")
            assert outcome.passed, outcome.explain()
            assert outcome.measurement.arena_high == outcome.plan.arena_size

        def test_own_inputs(hil, board):
            assert board == hil.board == "host"
            vectors = np.load(HERE / "digits_vectors.npz")
            outputs = hil.run(HERE / "digits.tflite", [[x] for x in vectors["input_0"][:30]])
            right = [int(o[0].argmax()) == label for o, label in zip(outputs, vectors["labels"])]
            assert np.mean(right) > 0.9

        def test_model_option(hil, hil_model):
            assert hil.validate(hil_model, vectors=2).passed
        """
    )
    result = run_pytest(pytester, pytester.path, "--board", "host", "--model", DIGITS, "-k", "test_", "-v")
    result.assert_outcomes(passed=3, deselected=10)
    result.stdout.fnmatch_lines(["*test_card[[]host[]] PASSED*"])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("m.pt", "a PyTorch file*from-pytorch"),
        ("saved", "a SavedModel folder*to_float.py"),
        ("https://example.com/m.tflite", "an address*download the file"),
        ("none.h5x", "no such file*"),
    ],
)
def test_a_model_that_nothing_reads_has_its_next_step(pytester, model, said):
    (pytester.path / "m.pt").write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9")
    (pytester.mkdir("saved") / "saved_model.pb").touch()
    result = run_pytest(pytester, "--board", "host", "--model", model)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    what, _, step = said.partition("*")
    text = result.stderr.str()
    assert what in text and step in text and "try: " in text


def test_relative_paths_are_looked_for_beside_the_test_then_at_rootdir_then_here(pytester, monkeypatch):
    copy_fixture("digits", pytester.path)  # rootdir
    beside, here = pytester.mkdir("beside"), pytester.mkdir("here")
    card = copy_fixture("digits", beside)
    card.rename(beside / "own.hil.yaml")
    (beside / "digits.tflite").rename(beside / "own.tflite")
    (beside / "own.hil.yaml").write_text("model: own.tflite\nvectors: {random: 1}\n")
    (beside / "digits_vectors.npz").rename(beside / "own.npz")
    (here / "late.tflite").write_bytes((beside / "own.tflite").read_bytes())
    (beside / "test_paths.py").write_text(
        """
import pytest, numpy
from pathlib import Path
from harness.errors import CardError, ModelFileError, VectorsError

@pytest.fixture(scope="module")
def ran(hil):  # outlives the test, too
    return hil.validate("own.hil.yaml")

def test_beside(hil, ran):
    assert ran.passed and ran.card.path.parent == Path(__file__).parent
    assert hil.validate("own.tflite", vectors="own.npz").vectors.labels is not None
    assert hil.run("own.tflite", [[numpy.zeros((1, 8, 8, 1), numpy.float32)]])

def test_rootdir_and_current(hil, pytestconfig):
    assert hil.validate("digits.hil.yaml", vectors=1).card.path.parent == pytestconfig.rootpath
    assert hil.validate(Path("late.tflite"), vectors=1).passed

KINDS = [("no.hil.yaml", CardError), ("no.tflite", ModelFileError), ("../no.yml", CardError)]

@pytest.mark.parametrize("name,kind", KINDS)
def test_told(hil, name, kind, pytestconfig):
    with pytest.raises(kind) as caught:
        hil.validate(name)
    folders = [str(Path(__file__).parent), str(pytestconfig.rootpath), str(Path.cwd())]
    assert f"looked in {', '.join(folders)}" in caught.value.message
    with pytest.raises(VectorsError, match="looked in"):
        hil.validate("own.tflite", vectors="no.npz")
    with pytest.raises(ModelFileError, match="looked in"):
        hil.run("no.tflite", [])
    with pytest.raises(ModelFileError, match="an address"):
        hil.validate("https://example.com/m.tflite")
"""
    )
    monkeypatch.chdir(here)
    result = run_pytest(pytester, "--rootdir", pytester.path, "--board", "host", beside / "test_paths.py")
    result.assert_outcomes(passed=5)


def test_a_projects_own_fixture_named_board_wins(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def board():
            return "chess"

        def test_own(board):
            assert board == "chess"
        """
    )
    run_pytest(pytester, "--board", "host", "--board", "mps2-an500").assert_outcomes(passed=1)


def test_junit_properties_and_bundle(pytester):
    copy_fixture("digits", pytester.path)
    result = run_pytest(pytester, "--board", "host", "--junitxml", "junit.xml", "--report", "bundle")
    result.stdout.fnmatch_lines(["report: *report.html"])
    case = next(c for c in ET.parse(pytester.path / "junit.xml").iter("testcase") if c.get("name") == "arena[host]")
    found = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert found["tinyhil.board"] == "host"
    assert found["tinyhil.max_lsb"] == "0"
    assert found["tinyhil.arena_bytes"] == found["tinyhil.arena.measured"]
    results = read_bundle(pytester.path / "bundle")
    assert results["verdict"] == "pass"
    (run,) = results["runs"]
    assert run["memory"]["arena_planned"] == int(found["tinyhil.arena_bytes"])
    assert "--report" in results["command"]


def test_under_xdist_runs_are_made_once_each_and_results_come_together(pytester):
    for name in ("digits", "residual", "stream"):
        copy_fixture(name, pytester.path)
    result = run_pytest(pytester, "--board", "host", "-n", "2", "--report", "bundle")
    result.assert_outcomes(passed=14, skipped=6)
    results = read_bundle(pytester.path / "bundle")
    assert sorted(run["name"] for run in results["runs"]) == ["digits", "residual", "stream"]


def test_silent_and_light_in_a_project_that_does_not_use_it(pytester):
    pytester.makepyfile("def test_other(): pass")
    result = run_pytest(pytester)
    result.assert_outcomes(passed=1)
    assert "tinyhil:" not in result.stdout.str()
    code = (
        "import sys, harness.pytest_plugin.plugin; "
        "heavy = {'numpy', 'pydantic', 'yaml', 'rich', 'typer', 'serial', 'elftools'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_every_document_is_json(pytester):
    copy_fixture("stream", pytester.path)
    run_pytest(pytester, "--board", "host", "--report", "bundle")
    text = (pytester.path / "bundle" / "results.json").read_text()
    assert json.loads(text)["schema"] == "tinyhil.results"
    assert "NaN" not in text
