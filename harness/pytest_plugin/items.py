"""Cards and models as pytest items, and the class of the fixture `hil`.

One item is one check of one card on one board. The run of a card's checks is made once, in the set-up of the first of
them; an error of the run is an error of that set-up, not a failed test. After a fault of the infrastructure, such as a
silent board, the next set-up tries again: that of the next check, or of the same one under pytest-rerunfailures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.boards.source import OwnBoards
from harness.build.progress import Progress
from harness.errors import Category, TinyhilError
from harness.farm.source import FarmBoards
from harness.frontends import is_model
from harness.history.ingest import distinct
from harness.history.keeping import compare_document
from harness.history.selection import LAST_GOOD
from harness.history.verdicts import Change, RunComparison
from harness.pytest_plugin.failures import CardRun, CheckFailedError, Failures, RegressedError, text_of
from harness.pytest_plugin.paths import find
from harness.pytest_plugin.properties import check_properties, own_properties, regression_properties
from harness.pytest_plugin.settings import Settings
from harness.quantization.types import Array
from harness.report import rows
from harness.report.document import Document, error_document, run_document
from harness.report.heartbeat import Heartbeat
from harness.report.plain import one_line, plain
from harness.runtimes.forms import Way
from harness.validate.card import (
    FILES,
    SUFFIX,
    Card,
    FileVectors,
    RandomVectors,
    card_for_model,
    card_of,
    load_card,
    parse_vectors,
)
from harness.validate.checks import Status, check_names
from harness.validate.options import Options, apply_options, check_choice, in_way, mode_of, npu_of, way_words, ways_of
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from harness.version import __version__

_RUNS = pytest.StashKey[int]()  # how many runs a test has made so far


class PluginState:
    """State of a pytest process: the workbench, the runs made so far, and their documents not yet reported."""

    def __init__(self, settings: Settings, write: Callable[[str], object] | None = None) -> None:
        """write: writes a line to a log that must not be silent for long; None where none is kept."""
        self.settings = settings
        self._write = write
        self.boards = FarmBoards(settings.farm) if settings.farm else OwnBoards()
        self.bench = Workbench(boards=self.boards)
        self._runs: dict[tuple[Path, str, Way], CardRun | TinyhilError] = {}
        self._failures = Failures()
        self._files: list[tuple[str, str]] = []  # (name, file) of cards that are compared
        self._documents: list[Document] = []  # of runs since the last report
        self._ran: list[Document] = []  # the same, and calls without a comparison

    def close(self) -> None:
        """Gives a farm's board back."""
        if isinstance(self.boards, FarmBoards):
            self.boards.close()

    def run_of(self, card: Card, board: str, way: Way) -> CardRun:
        """The run of a card on a board in one way; made by the first call.

        Raises:
            TinyhilError: the run failed: the same error at every call, but for faults of the infrastructure, after
                which the next call tries again.
        """
        key = (card.path or card.model, board, way)
        if key not in self._runs:
            try:
                self._runs[key] = self.run(card, board, in_way(self.settings.options, way))
            except TinyhilError as error:
                if error.category is Category.INFRASTRUCTURE:
                    raise
                self._runs[key] = error
        found = self._runs[key]
        if isinstance(found, TinyhilError):
            raise found
        return found

    def run(self, card: Card, board: str, options: Options) -> CardRun:
        """Runs a card on a board, and keeps the document for the next report."""
        try:
            with self.progress(f"{card.name} on {board}") as tell:
                outcome = self.bench.validate(card, board, options, tell)
        except TinyhilError as error:
            file, mode = str(card.path or card.model), mode_of(card, options)
            way = Way(options.runtime or card.runtime, (options.forms or card.form)[0])
            npu = npu_of(card, options)
            self._keep(error_document(card.name, board, error, file, mode=mode, way=way, npu=npu))
            raise
        run = CardRun(outcome, run_document(outcome))
        self._keep(run.document)
        return run

    def call(self, model: Path, board: str, inputs: Sequence[Sequence[Array]]) -> list[tuple[Array, ...]]:
        """The outputs of a model, without any comparison; noted for the next report."""
        vectors = {"count": len(inputs)}
        self._ran.append({"kind": "call", "name": model.stem, "board": {"asked": board}, "vectors": vectors})
        with self.progress(f"{model.name} on {board}") as tell:
            return self.bench.run(model, board, inputs, self.settings.options, tell)

    def note_model(self, card: Card) -> None:
        """Notes a card that is compared: where several files have one name, the history tells them apart."""
        self._files.append((card.name, str(card.path or card.model)))

    def compare(self, card: Card, document: Document) -> RunComparison:
        """Compares the run of a card with what --compare says.

        Raises:
            TinyhilError: it stands for nothing, or the history cannot be read.
        """
        chosen = self.settings
        names = dict(zip(self._files, distinct(self._files), strict=True))
        name = names[card.name, str(card.path or card.model)]
        return compare_document(document, name, chosen.compare or LAST_GOOD, chosen.history, chosen.policy)

    def _keep(self, document: Document) -> None:
        self._documents.append(document)
        self._ran.append(document)

    def progress(self, title: str) -> AbstractContextManager[Progress | None]:
        """Context of a run, whose progress is written every few seconds."""
        return nullcontext() if self._write is None else Heartbeat(self._write, title)

    def explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Completes a failing report: see harness.pytest_plugin.failures."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, RegressedError):
            report.longrepr = plain(str(error))
        elif isinstance(item, RunItem) and isinstance(error, TinyhilError | CheckFailedError):
            check = item.check if isinstance(item, CheckItem) else "history"
            self._failures.of_check(f"{item.card.name} on {item.board}", check, error, report)
        elif isinstance(error, TinyhilError):
            self._failures.of_test(error, report)

    def attach(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Attaches to a report what was run since the last one: documents, and a user's test with its properties."""
        carried = report.__dict__  # xdist transfers all of it
        if self._documents:
            carried["tinyhil"] = json.dumps(self._documents)
        hil = getattr(item, "funcargs", {}).get("hil")
        if not isinstance(item, RunItem) and (self._ran or isinstance(hil, Hil)):
            found = own_properties(self._ran, item.stash.get(_RUNS, 0))
            item.stash[_RUNS] = item.stash.get(_RUNS, 0) + len(self._ran)
            item.user_properties += found  # the next report's
            report.user_properties += found
            board = hil.board if isinstance(hil, Hil) else self._ran[0]["board"]["asked"]
            carried["tinyhil_test"] = {"board": board, "runs": [_brief(run) for run in self._ran]}
        self._documents, self._ran = [], []


class _HilFile(pytest.File):
    """A file whose checks become items."""

    def __init__(self, *, state: PluginState, **rest: Any) -> None:
        super().__init__(**rest)
        self._state = state

    def card(self) -> Card:
        """The card behind the items."""
        raise NotImplementedError

    def collect(self) -> Iterable[pytest.Item]:
        """One item per check, board, runtime and form."""
        card, options = self.card(), self._state.settings.options
        for board in self._state.settings.boards:
            for way in ways_of(card, options, board):
                judged = apply_options(card, in_way(options, way))
                place = "-".join((board, *way_words(way)))
                about = {"state": self._state, "card": judged, "board": board, "way": way}
                for check in check_names(judged, board):
                    yield CheckItem.from_parent(self, name=f"{check}[{place}]", check=check, **about)
                if self._state.settings.compare:
                    self._state.note_model(judged)
                    yield HistoryItem.from_parent(self, name=f"history[{place}]", **about)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The card's error, without a traceback."""
        if isinstance(excinfo.value, TinyhilError):
            return text_of(excinfo.value)
        return super().repr_failure(excinfo)


class CardFile(_HilFile):
    """A `*.hil.yaml` file."""

    def card(self) -> Card:
        """See base."""
        return load_card(self.path)


class ModelFile(_HilFile):
    """A model named by --model or as an argument: outputs and layers exact, over random vectors."""

    def card(self) -> Card:
        """See base."""
        return card_for_model(self.path)


class RunItem(pytest.Item):
    """Something of the run of one card on one board in one way."""

    def __init__(self, *, state: PluginState, card: Card, board: str, way: Way, **rest: Any) -> None:
        super().__init__(**rest)
        self.card = card
        self.board = board
        self.way = way
        self._state = state
        self._run: CardRun | None = None
        self.add_marker("hil")

    def setup(self) -> None:
        """Makes the run, unless another item has."""
        self._run = self._state.run_of(self.card, self.board, self.way)


class CheckItem(RunItem):
    """One check."""

    def __init__(self, *, check: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.check = check

    def setup(self) -> None:
        """See base."""
        super().setup()
        assert self._run is not None
        self.user_properties += check_properties(self._run.document, self.check)

    def runtest(self) -> None:
        """Raises CheckFailedError if the check failed; skips it if it was not measured."""
        assert self._run is not None
        check = next(c for c in self._run.outcome.verdict.checks if c.name == self.check)
        if check.status is Status.NOT_MEASURED:
            pytest.skip(one_line(check.summary))
        if check.status is Status.FAIL:
            raise CheckFailedError(self._run, check)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File and title of the check."""
        return self.path, None, one_line(f"{self.card.name}: {self.check} on {self.board}")


class HistoryItem(RunItem):
    """The comparison of a run with earlier results."""

    def runtest(self) -> None:
        """Raises RegressedError if something regressed; skips where there is nothing to compare with."""
        assert self._run is not None
        found = self._state.compare(self.card, self._run.document)
        self.user_properties += regression_properties(found)
        if found.fails:
            raise RegressedError(found)
        if found.change is Change.NEW:
            pytest.skip(one_line(f"no earlier run to compare with: {found.base}"))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File and title of the comparison."""
        return self.path, None, one_line(f"{self.card.name}: history on {self.board}")


class Hil:
    """Runs models on a board, for tests: the fixture `hil`.

    A relative path is looked for beside the file of the test that runs, then in pytest's rootdir, then in the current
    folder.

    Attributes:
        board: the board's name.
    """

    def __init__(self, state: PluginState, board: str, folders: Callable[[], Sequence[Path]]) -> None:
        self.board = board
        self._state = state
        self._folders = folders

    def validate(
        self, model: str | Path, *, vectors: int | str | None = None, oracle: str | None = None
    ) -> Outcome:
        """Run a model or a card on the board and compare; `assert outcome.passed, outcome.explain()`.

        Args:
            model: a .tflite file or a .hil.yaml card.
            vectors: number of random vectors, or "COUNT:SEED", or an .npz or .wav file; None for the card's.
            oracle: the reference; None for the card's.

        Raises:
            TinyhilError: the run could not be made.
        """
        __tracebackhide__ = True
        try:
            return self._validate(model, vectors, oracle)
        except TinyhilError as error:
            raise _without_frames(error) from None

    def run(self, model: str | Path, inputs: Sequence[Sequence[Array]]) -> list[tuple[Array, ...]]:
        """The board's outputs for inputs of your own, without any comparison.

        Args:
            model: a .tflite file.
            inputs: per vector one array per model input, of its shape: quantized values, or real numbers to quantize.

        Returns:
            Per vector one array per model output, of its shape and type.

        Raises:
            TinyhilError: the run could not be made.
        """
        __tracebackhide__ = True
        try:
            return self._state.call(self._path(model), self.board, inputs)
        except TinyhilError as error:
            raise _without_frames(error) from None

    def _path(self, name: str | Path) -> Path:
        return find(name, self._folders())

    def _validate(self, model: str | Path, vectors: int | str | None, oracle: str | None) -> Outcome:
        if oracle is not None:
            check_choice("oracle", oracle)
        card = card_of(self._path(model))
        given: RandomVectors | FileVectors | None = None
        if vectors is not None:
            text = str(vectors)
            given = parse_vectors(str(self._path(text)) if text.endswith(FILES) else text, Path.cwd())
        base = self._state.settings.options
        options = replace(base, vectors=given or base.vectors, oracle=oracle or base.oracle)
        return self._state.run(card, self.board, options).outcome


def _without_frames(error: TinyhilError) -> TinyhilError:
    """The error without its traceback, so that pytest shows the line of the test, not frames of tinyhil."""
    return error.with_traceback(None)


def header(settings: Settings) -> list[str]:
    """Lines for pytest's header: boards with their stand-ins, tools, oracles."""
    from harness.boards import resolve
    from harness.report.tool_versions import tool_versions

    lines = [f"tinyhil: {__version__}, link {settings.options.link}"]
    if settings.farm:
        lines.append(f"farm: {settings.farm.place}; boards: {', '.join(settings.boards)}")
    for name in () if settings.farm else settings.boards:
        try:
            resolved = resolve(name, probe=settings.options.probe)
        except TinyhilError as error:
            lines.append(f"board: {name}: {error.message}")
            continue
        note = f"; stand-in: {resolved.reason}" if resolved.stand_in else ""
        lines.append(f"board: {name} ({resolved.runs_on.core}, {resolved.runs_on.backend}){note}")
    tools = tool_versions()
    lines.append("tools: " + "; ".join(tools[name] for name in ("arm compiler", "qemu")))
    lines.append("oracles: " + "; ".join(tools[name] for name in ("oracle tflm", "oracle litert")))
    return [one_line(line) for line in lines]


def scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler for xdist that treats all checks of one file on one board as one unit."""
    from xdist.scheduler import LoadScopeScheduling

    class PerRun(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file, _, check = nodeid.rpartition("::")
            if file.endswith(SUFFIX) or is_model(file):
                return f"{file}{check[check.index('[') :]}"
            return nodeid

    return PerRun(config, log)


def _brief(run: Document) -> dict[str, Any]:
    """A run of a user's test in short; the verdict is None where nothing was compared."""
    verdict = None if run["kind"] == "call" else rows.verdict_word(run)
    return {"model": run["name"], "board": run["board"]["asked"], "verdict": verdict}
