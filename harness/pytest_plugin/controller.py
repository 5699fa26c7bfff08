"""The controlling process of pytest (without xdist the only one): collects documents, writes summary and bundle.

Imports nothing heavy, as the plugin loads it in every pytest run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.session import SessionRecord
from harness.pytest_plugin.settings import Settings, settings

if TYPE_CHECKING:
    from harness.report.bundle import Invocation


class Controller:
    """Collects the documents that reports carry, and the record of the session."""

    def __init__(self, config: pytest.Config, blocks: Blocks) -> None:
        self._config = config
        self._blocks = blocks
        self._documents: list[dict[str, Any]] = []
        self._faults: dict[tuple[str, str, str], dict[str, Any]] = {}  # the last document of each that is an error
        self._session = SessionRecord()
        self._written: list[str] = []  # where the bundle and the history are, or why they are not

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes the documents attached to a report."""
        self._session.take(report)
        carried = getattr(report, "tinyhil", None)
        for document in json.loads(carried) if carried else ():
            file = report.nodeid.partition("::")[0]
            origin = (report.nodeid if file.endswith(".py") else file, document["name"], document["board"]["asked"])
            earlier = self._faults.pop(origin, None)
            if earlier is not None:  # the run that ended with a fault was made again
                self._documents = [known for known in self._documents if known is not earlier]
            if document["kind"] == "error":
                self._faults[origin] = document
            self._documents.append(document)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Takes files that could not be collected."""
        self._session.take_collected(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the bundle, unless nothing of tinyhil ran and the session ended on its own."""
        exit_code = int(session.exitstatus)
        stopped = exit_code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)
        if not (self._documents or self._session.used or stopped):
            return
        chosen = settings(self._config)
        if chosen.report is None and chosen.history is None:
            return
        from harness.errors import TinyhilError
        from harness.report.bundle import Invocation
        from harness.report.environment import environment
        from harness.report.tool_versions import tool_versions

        command = [Path(sys.argv[0]).name, *(str(part) for part in self._config.invocation_params.args)]
        invocation = Invocation(command, tool_versions(), self._session.document(exit_code), environment())
        for what, keep in (("report", self._write), ("history", self._remember)):
            try:
                told = keep(chosen, invocation)
            except TinyhilError as error:
                told = f"no {what}: {error.message}; {error.hint}"
                session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
            self._written += [told] if told else []

    def _write(self, chosen: Settings, invocation: Invocation) -> str:
        """Writes the bundle, where one is asked for; tells where it is."""
        if chosen.report is None:
            return ""
        from harness.report.bundle import write_bundle

        return f"report: {write_bundle(chosen.report, self._documents, invocation)}"

    def _remember(self, chosen: Settings, invocation: Invocation) -> str:
        """Adds the results to the history, where they are kept, and notes how they did; tells where it is."""
        if chosen.history is None:
            return ""
        from harness.history.keeping import keep

        return keep(chosen.history, self._documents, invocation, chosen.report, chosen.compare, chosen.policy)

    @pytest.hookimpl(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Writes the table of results, and gives pytest back its reports, one a test, for the lines after it."""
        self._blocks.restore(terminalreporter)
        if not self._documents and not self._written:
            return
        from harness.report.plain import one_line
        from harness.report.rows import summary

        terminalreporter.ensure_newline()
        terminalreporter.section("tinyhil")
        if self._documents:
            for line in summary(self._documents).plain(_width(terminalreporter)):
                terminalreporter.write_line(line)
        for line in self._written:
            terminalreporter.write_line(one_line(line))


def _width(terminalreporter: pytest.TerminalReporter) -> int | None:
    """Columns of the table: what COLUMNS says, else the terminal's; None for a file or a pipe."""
    said = os.environ.get("COLUMNS", "")
    if terminalreporter.isatty or (said.isdigit() and int(said)):
        return int(terminalreporter.config.get_terminal_writer().fullwidth)
    return None


class Blocks:
    """Lets pytest show one block for each model and board.

    A plugin of its own: its part of the hook comes before pytest's, which shows failures, and Controller's after it.
    """

    def __init__(self) -> None:
        self._whole: dict[str, list[Any]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> Generator[None, None, None]:
        """Merges reports of one run before pytest shows them; not where each has only one line."""
        stats = terminalreporter.stats
        if config.getoption("tbstyle", "auto") not in ("no", "line"):
            for outcome in ("failed", "error"):
                if any(hasattr(report, "tinyhil_block") for report in stats.get(outcome, ())):
                    from harness.pytest_plugin.failures import merged

                    self._whole[outcome] = stats[outcome]
                    stats[outcome] = merged(stats[outcome])
        return (yield)

    def restore(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Gives pytest back its own reports, of one line each: on CI servers its summary has all of a text."""
        from harness.pytest_plugin.failures import in_short

        terminalreporter.stats.update({outcome: list(map(in_short, own)) for outcome, own in self._whole.items()})
        self._whole = {}
