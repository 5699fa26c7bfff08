"""pytest keeps results in a history, and what regressed against it is a failed item."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from harness.history.reading import RunReader
from harness.history.store import HistoryStore
from tests.support.plugin_run import copy_fixture, run_pytest

COMMON = ("--board", "mps2-an386", "--vectors", "2")


@pytest.fixture()
def card(pytester):
    return copy_fixture("digits", pytester.path)


def with_history(pytester, card, *more):
    return run_pytest(pytester, card, *COMMON, "--history", "h.db", "--compare", "last-good", "-rs", *more)


def test_what_regressed_is_a_failed_item(pytester, card):
    first = with_history(pytester, card)
    counts = first.parseoutcomes()
    assert counts["skipped"] >= 1 and "failed" not in counts
    assert "no earlier run to compare with" in str(first.outlines)
    alike = with_history(pytester, card)
    assert "failed" not in alike.parseoutcomes() and "skipped" not in alike.parseoutcomes()
    path = pytester.path / "h.db"
    with HistoryStore(path) as store:  # as if it had been quicker and smaller before
        assert RunReader(store).count() == 2
        arena = "figure IN (SELECT id FROM figures WHERE metric = 'arena')"
        store.query(f"UPDATE run_values SET value = value - 1 WHERE {arena}")
        store.query("UPDATE layer_values SET numbers = json_set(numbers, '$[1]', json_extract(numbers, '$[1]') - 100)")
    worse = with_history(pytester, card, "-n", "1", "--junit-xml", "j.xml")
    assert worse.parseoutcomes()["failed"] == 1
    text = str(worse.outlines)
    worse.stdout.fnmatch_lines(["*arena: * B -> * B (+1 B*", "*conv*: time: * instructions -> *(+100 instructions*"])
    assert "compared with run 2" in text
    cases = ElementTree.parse(pytester.path / "j.xml").iter("testcase")
    case = next(case for case in cases if case.get("name") == "history[mps2-an386]")
    assert case.find("failure") is not None
    told = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert told["tinyhil.history.change"] == "regressed" and told["tinyhil.history.arena"].startswith("regressed")
    with HistoryStore(path) as store:
        assert store.query("SELECT verdict FROM judgements WHERE run = 3") == [("regressed",)]


def test_a_policy_and_the_bundle(pytester, card):
    (pytester.path / "policy.yaml").write_text("rules: [{metric: '*', judge: false}]")
    with_history(pytester, card)
    with HistoryStore(pytester.path / "h.db") as store:
        store.query("UPDATE run_values SET value = value - 1")
    judged = with_history(pytester, card, "--policy", "policy.yaml", "--report", "out")
    assert "failed" not in judged.parseoutcomes()
    with HistoryStore(pytester.path / "h.db") as store:
        assert not store.add_bundle(pytester.path / "out").new, "the session kept its bundle"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--compare", "last-good", "--history", "folder"), "no file"),
        (("--compare", "last-good"), "there is no history yet"),
        (("--history", "h.db", "--policy", "none.yaml"), "none.yaml"),
    ],
)
def test_wrong_places_are_refused_before_anything_runs(pytester, card, options, told, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(pytester.path / "data"))
    monkeypatch.delenv("TINYHIL_HISTORY", raising=False)
    (pytester.path / "folder").mkdir()
    result = run_pytest(pytester, card, *COMMON, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str() and "try:" in result.stderr.str()


def test_a_base_that_stands_for_nothing_is_an_error_of_its_item(pytester, card):
    with_history(pytester, card)
    result = run_pytest(pytester, card, *COMMON, "--history", "h.db", "--compare", "session:none")
    assert "no such run, session, revision" in result.stdout.str()
