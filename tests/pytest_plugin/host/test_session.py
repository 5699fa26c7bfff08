"""Tests of the user's own in JUnit and in the bundle, whose verdict is the session's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from harness.report.bundle import read_bundle
from tests.support.paths import FIXTURES, REPOSITORY
from tests.support.plugin_run import copy_fixture, plugin_arguments, run_pytest

DIGITS = str(FIXTURES / "digits.tflite")


def bundle_of(pytester, *arguments):
    """(the bundle's results, the page's text) after a run of pytest."""
    run_pytest(pytester, "--board", "host", "--vectors", "2", "--report", "out", *arguments)
    return read_bundle(pytester.path / "out"), (pytester.path / "out" / "report.html").read_text()


def properties(pytester, name):
    case = next(c for c in ET.parse(pytester.path / "j.xml").iter("testcase") if c.get("name") == name)
    return {p.get("name"): p.get("value") for p in case.iter("property")}


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_tests_of_ones_own_are_in_junit_and_in_the_report(pytester, workers):
    pytester.makepyfile(f"""
        import numpy as np

        def test_validates(hil):
            assert hil.validate({DIGITS!r}).passed

        def test_runs(hil):
            hil.run({DIGITS!r}, [[np.zeros((1, 8, 8, 1), np.int8)]] * 3)

        def test_twice(hil):
            hil.validate({DIGITS!r})
            hil.validate({DIGITS!r}, vectors=3)

        def test_other():
            pass
    """)
    results, page = bundle_of(pytester, "--junit-xml", "j.xml", *workers)
    one = properties(pytester, "test_validates[host]")
    assert one["tinyhil.board"] == "host" and one["tinyhil.checks.outputs"] == "pass" and one["tinyhil.vectors"] == "2"
    assert int(one["tinyhil.arena_bytes"]) > 0
    called = {"tinyhil.board": "host", "tinyhil.model": "digits", "tinyhil.vectors": "3"}
    assert properties(pytester, "test_runs[host]") == called
    twice = properties(pytester, "test_twice[host]")
    assert (twice["tinyhil.vectors"], twice["tinyhil.2.vectors"]) == ("2", "3")
    assert properties(pytester, "test_other") == {}
    assert results["verdict"] == "pass"
    told = {test["id"].partition("::")[2]: test for test in results["session"]["tests"]}
    assert set(told) == {"test_validates[host]", "test_runs[host]", "test_twice[host]"}
    assert [run["verdict"] for run in told["test_runs[host]"]["runs"]] == [None]
    assert len(told["test_twice[host]"]["runs"]) == 2
    assert "test_runs[host]" in page and "digits not compared" in page
    assert "<title>tinyhil results: pass" in page


FAILING = {
    "a failed test of a model": ("def test_x(hil):\n    assert not hil.validate(MODEL).passed, 'too <slow>'", "fail"),
    "a failed test beside it": ("def test_x(): assert False", "fail"),
    "a failed fixture": ("import pytest\n@pytest.fixture\ndef x(): 1 / 0\ndef test_x(x): pass", "error"),
    "a run that could not be made": ("def test_x(hil): hil.validate('none.tflite')", "error"),
    "a file that cannot be collected": ("import nothing_of_this_name", "error"),
    "a request to stop": ("import pytest\ndef test_x(): pytest.exit('enough')", "error"),
}


@pytest.mark.parametrize("what", FAILING)
def test_the_verdict_is_the_sessions(pytester, what):
    text, verdict = FAILING[what]
    copy_fixture("digits", pytester.path)
    pytester.makepyfile(test_x=text.replace("MODEL", repr(DIGITS)))
    more = ("--continue-on-collection-errors",) if "collected" in what else ()
    results, page = bundle_of(pytester, "digits.hil.yaml", "test_x.py", *more)
    assert results["verdict"] == verdict
    assert f"<title>tinyhil results: {verdict}" in page
    assert results["runs"][0]["verdict"]["passed"]
    if verdict == "fail" or "collected" in what or "fixture" in what or "made" in what:
        (told,) = results["session"]["tests"] + results["session"]["problems"]
        assert told["outcome"] in ("failed", "error") and told["message"]
    assert "&lt;slow&gt;" in page or what != "a failed test of a model"


def test_a_failed_check_of_a_card_is_a_failed_session(pytester):
    card = copy_fixture("digits", pytester.path)
    card.write_text("model: digits.tflite\nbudgets: {default: {arena: 400}}\n")
    results, _ = bundle_of(pytester)
    assert results["verdict"] == "fail"
    assert results["session"]["problems"] == [], "the run has it"
    assert results["session"]["counts"] == {"passed": 3, "failed": 1}


def test_an_older_report_does_not_outlive_a_session_that_came_to_nothing(pytester):
    copy_fixture("digits", pytester.path)
    assert bundle_of(pytester)[0]["verdict"] == "pass"
    pytester.makepyfile(test_x="import nothing_of_this_name")
    results, _ = bundle_of(pytester)
    assert (results["verdict"], results["runs"]) == ("error", [])


def test_a_session_without_models_leaves_the_report_alone(pytester):
    copy_fixture("digits", pytester.path)
    bundle_of(pytester)
    pytester.makepyfile(test_x="def test_x(): assert False")
    results, _ = bundle_of(pytester, "test_x.py")
    assert (results["verdict"], len(results["runs"])) == ("pass", 1)


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_ctrl_c_is_no_pass(pytester, workers):
    pytester.makepyfile(f"""
        import pathlib, time

        def test_a(hil):
            assert hil.validate({DIGITS!r}, vectors=1).passed
            pathlib.Path("reached").touch()

        def test_b():
            time.sleep(60)
    """)
    (pytester.path / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin_arguments(), "--board", "host"]
    running = subprocess.Popen(
        [*command, "--report", "out", *workers],
        cwd=pytester.path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
    )
    while not (pytester.path / "reached").exists():
        assert running.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == pytest.ExitCode.INTERRUPTED
    assert read_bundle(pytester.path / "out")["verdict"] == "error"
