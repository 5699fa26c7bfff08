"""The record of a pytest session for its bundle: how it ended, tests of the user's own, and what else failed.

Imports nothing heavy, as the plugin loads it in every pytest run.
"""

from __future__ import annotations

from typing import Any

import pytest

_ENDED = {
    0: ("pass", "all tests passed"),
    1: ("fail", "tests failed"),
    2: ("error", "interrupted"),
    3: ("error", "internal error"),
    4: ("error", "wrong options"),
    5: ("error", "no test was run"),
}
_BAD = ("failed", "error")


class SessionRecord:
    """Outcomes of the session's tests, in the order in which they ended."""

    def __init__(self) -> None:
        self._tests: dict[str, dict[str, Any]] = {}

    def take(self, report: pytest.TestReport) -> None:
        """Takes the report of a phase of a test."""
        known = self._tests.setdefault(report.nodeid, {"id": report.nodeid, "outcome": "passed", "message": ""})
        used = getattr(report, "tinyhil_test", None)
        if used:
            known["hil"] = {"board": used["board"], "runs": [*known.get("hil", {}).get("runs", ()), *used["runs"]]}
        if getattr(report, "tinyhil_block", None):
            known["check"] = True  # of a card, whose run has a document
        if report.outcome not in ("passed", "failed", "skipped"):  # "rerun": the test is made again
            del self._tests[report.nodeid]
        elif report.failed:
            known |= {"outcome": "failed" if report.when == "call" else "error", "message": _message(report)}
        elif report.skipped:
            known["outcome"] = "xfailed" if hasattr(report, "wasxfail") else "skipped"

    def take_collected(self, report: pytest.CollectReport) -> None:
        """Takes the report of collecting a file."""
        if report.failed:
            self._tests[report.nodeid] = {"id": report.nodeid, "outcome": "error", "message": _message(report)}

    @property
    def used(self) -> bool:
        """Whether a test of the user's own ran models, or a file could not be collected."""
        return any("hil" in test or (test["outcome"] == "error" and "::" not in test["id"]) for test in self._all())

    def document(self, exit_code: int) -> dict[str, Any]:
        """The record as JSON-ready data; `exit_code` is pytest's."""
        tests = self._all()
        verdict, ended = _ENDED.get(exit_code, ("error", f"ended with exit code {exit_code}"))
        outcomes = [test["outcome"] for test in tests]
        if verdict == "fail" and "error" in outcomes:
            verdict = "error"
        return {
            "verdict": verdict,
            "ended": ended,
            "exit_code": exit_code,
            "counts": {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)},
            "tests": [{**_brief(test), **test["hil"]} for test in tests if "hil" in test],
            "problems": [_brief(t) for t in tests if t["outcome"] in _BAD and not ("hil" in t or "check" in t)],
        }

    def _all(self) -> list[dict[str, Any]]:
        return list(self._tests.values())


def _brief(test: dict[str, Any]) -> dict[str, Any]:
    return {name: test[name] for name in ("id", "outcome", "message")}


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The first line of what is wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message) if crash is not None else str(report.longrepr or "")
    return text.strip().partition("\n")[0]
