"""What pytest shows of failed checks: one block for each model, advice of each check's own, no idle transcript."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness.errors import DeviceFaultError, DeviceTimeoutError, PortLostError
from harness.validate.workbench import Workbench
from tests.support.paths import FIXTURES
from tests.support.plugin_run import break_layer, copy_fixture, run_pytest

LIMITS = "{arena: 400, instructions: 1}"


def card_of(pytester, name="digits", *, budgets=LIMITS, more=""):
    card = copy_fixture(name, pytester.path)
    card.write_text(f"model: {name}.tflite\nvectors: {{random: 2}}\nbudgets: {{default: {budgets}}}\n{more}")


def test_one_block_for_all_failed_checks_of_a_model(pytester, monkeypatch):
    card_of(pytester)
    break_layer(monkeypatch, 0)
    result = run_pytest(pytester, "--board", "host", "--junit-xml", "j.xml")
    result.assert_outcomes(failed=3, passed=1, skipped=1)
    text = result.stdout.str()
    assert text.count("digits on host:\n") == 1, "all checks of the run"
    assert text.count("- first differing layer -") == 1
    result.stdout.fnmatch_lines(["___* digits on host: outputs, layers, arena ___*"])
    failed = [line for line in text.splitlines() if line.startswith("FAILED ")]
    assert [line.partition("::")[2].partition("[")[0] for line in failed] == ["outputs", "layers", "arena"]
    assert "last bytes on the line" not in text
    cases = {case.get("name"): case.find("failure") for case in ET.parse(pytester.path / "j.xml").iter("testcase")}
    assert "arena: " in cases["arena[host]"].text and "digits.hil.yaml::outputs[host]" in cases["arena[host]"].text


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_each_model_and_board_has_a_block_of_its_own(pytester, workers):
    for name in ("digits", "residual"):
        card_of(pytester, name, more="checks: {accuracy: {min: 1.0}}")
        card = pytester.path / f"{name}.hil.yaml"
        card.write_text(card.read_text().replace("{random: 2}", f"{name}_vectors.npz"))
    result = run_pytest(pytester, "--board", "host", *workers)
    result.assert_outcomes(failed=4, passed=6, skipped=2)
    text = result.stdout.str()
    for name in ("digits", "residual"):
        assert text.count(f"{name} on host:\n") == 1
        result.stdout.fnmatch_lines([f"___* {name} on host: accuracy, arena ___*"])


@pytest.mark.parametrize("style", ["line", "no"])
def test_other_styles_keep_a_line_for_each_check(pytester, monkeypatch, style):
    card_of(pytester)
    break_layer(monkeypatch, 0)
    result = run_pytest(pytester, "--board", "host", "--tb", style)
    result.assert_outcomes(failed=3, passed=1, skipped=1)
    assert result.stdout.str().count("FAILED digits") == 3


def test_an_error_of_a_run_is_one_block_too(pytester, monkeypatch):
    card_of(pytester)
    monkeypatch.setenv("TINYHIL_HOST_CC", "no-such-compiler")
    result = run_pytest(pytester, "--board", "host")
    result.assert_outcomes(errors=5)
    text = result.stdout.str()
    assert text.count("try: ") == 1
    result.stdout.fnmatch_lines(["_* ERROR at setup of digits on host: outputs, layers, memory, arena, *"])
    assert text.count("ERROR digits.hil.yaml::") == 5


@pytest.mark.parametrize(
    ("budgets", "more", "words"),
    [
        ("{arena: 400}", "", ["--optimize ram", "--max-arena 400"]),
        ("{arena: 400}", "compile: {optimize: ram}", ["--max-arena 400", "tinyhil analyze"]),
        ("{arena: 400k}", "checks: {accuracy: {min: 1.0}}", ["the board is not the cause"]),
    ],
)
def test_advice_is_of_the_check_that_failed(pytester, budgets, more, words):
    card_of(pytester, budgets=budgets, more=more)
    if "accuracy" in more:
        card = pytester.path / "digits.hil.yaml"
        card.write_text(card.read_text().replace("{random: 2}", "digits_vectors.npz"))
    text = run_pytest(pytester, "--board", "host").stdout.str()
    (advice,) = {line for line in text.splitlines() if line.startswith("    try: ")}
    assert all(word in advice for word in words), advice
    assert ("--optimize ram" in advice) == ("--optimize ram" in words)


@pytest.mark.parametrize(("kind", "shown"), [(DeviceTimeoutError, 1), (PortLostError, 1), (DeviceFaultError, 0)])
@pytest.mark.parametrize("own", [False, True])
def test_a_transcript_only_for_faults_of_the_link(pytester, monkeypatch, kind, shown, own):
    card_of(pytester)
    pytester.makepyfile(test_own='def test_own(hil): hil.validate("digits.hil.yaml")')

    def fail(*_):
        error = kind("it went wrong", hint="look at it")
        error.transcript = "line of a board:\n00 01 02"
        raise error

    monkeypatch.setattr(Workbench, "validate", fail)
    target = "test_own.py" if own else "digits.hil.yaml::outputs[host]"
    text = run_pytest(pytester, target, "--board", "host").stdout.str()
    assert text.count("last bytes on the line") == text.count("00 01 02") == shown
    assert "it went wrong" in text


def test_models_of_ones_own_tests_are_not_merged(pytester):
    pytester.makepyfile(f"""
        def test_one(hil):
            outcome = hil.validate({str(FIXTURES / "digits.tflite")!r}, vectors=1)
            assert not outcome.passed, outcome.explain()

        def test_two(hil):
            assert False, "of its own"
    """)
    result = run_pytest(pytester, "--board", "host")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*digits on host:*", "*of its own*"])
