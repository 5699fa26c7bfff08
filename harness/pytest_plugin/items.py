"""Cards and models as pytest items, and the class of the fixture `hil`.

One item is one check of one card on one board. The run of a card's checks is made once, in the set-up of the first of
them; an error of the run is an error of that set-up, not a failed test. After a fault of the infrastructure, such as a
silent board, the next set-up tries again: that of the next check, or of the same one under pytest-rerunfailures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.build.progress import Progress
from harness.errors import Category, TinyhilError
from harness.frontends import is_model
from harness.pytest_plugin.settings import Settings
from harness.quantization.types import Array
from harness.report import rows
from harness.report.document import Document, error_document, run_document
from harness.report.heartbeat import Heartbeat
from harness.report.plain import one_line, plain
from harness.validate.card import (
    SUFFIX,
    Card,
    FileVectors,
    RandomVectors,
    card_for_model,
    card_of,
    load_card,
    parse_vectors,
)
from harness.validate.checks import CheckResult, Status, check_names
from harness.validate.options import Options, apply_options, check_choice
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from harness.version import __version__


@dataclass(frozen=True)
class CardRun:
    """The outcome of a card on a board, and its document."""

    outcome: Outcome
    document: Document


class CheckFailedError(AssertionError):
    """A check of a card failed."""

    def __init__(self, run: CardRun, check: CheckResult) -> None:
        super().__init__(f"{check.name}: {check.summary}")
        self.run = run
        self.check = check


class PluginState:
    """State of a pytest process: the workbench, the runs made so far, and their documents not yet reported."""

    def __init__(self, settings: Settings, write: Callable[[str], object] | None = None) -> None:
        """write: writes a line to a log that must not be silent for long; None where none is kept."""
        self.settings = settings
        self._write = write
        self.bench = Workbench()
        self._runs: dict[tuple[Path, str], CardRun | TinyhilError] = {}
        self._documents: list[Document] = []

    def run_of(self, card: Card, board: str) -> CardRun:
        """The run of a card on a board; made by the first call.

        Raises:
            TinyhilError: the run failed: the same error at every call, but for faults of the infrastructure, after
                which the next call tries again.
        """
        key = (card.path or card.model, board)
        if key not in self._runs:
            try:
                self._runs[key] = self.run(card, board, self.settings.options)
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
            self._documents.append(error_document(card.name, board, error, str(card.path or card.model)))
            raise
        run = CardRun(outcome, run_document(outcome))
        self._documents.append(run.document)
        return run

    def progress(self, title: str) -> AbstractContextManager[Progress | None]:
        """Context of a run, whose progress is written every few seconds."""
        return nullcontext() if self._write is None else Heartbeat(self._write, title)

    def take_documents(self) -> list[Document]:
        """The documents made since the last call."""
        taken, self._documents = self._documents, []
        return taken

    def explain(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Adds the line's transcript, the first differing layer and a hint to a failing report.

        For a TinyhilError in a test of the user's own, the report becomes that of an error, not a failure.
        """
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, TinyhilError):
            if isinstance(item, CheckItem):
                report.longrepr = _text_of(error)  # instead of a traceback through pytest
            else:
                report.sections.append(("tinyhil", _text_of(error)))
                if report.when == "call":
                    report.when = "setup"  # which pytest, its JUnit file and xdist count as an error, not a failure
            if error.transcript:
                report.sections.append(("last bytes on the line", _tail(error.transcript)))
        elif isinstance(error, CheckFailedError):
            document = error.run.document
            if document["verdict"]["first_layer"]:
                report.sections.append(("first differing layer", rows.first_difference(document)))
            if document["transcript"]:
                report.sections.append(("last bytes on the line", _tail(document["transcript"])))


class _HilFile(pytest.File):
    """A file whose checks become items."""

    def __init__(self, *, state: PluginState, **rest: Any) -> None:
        super().__init__(**rest)
        self._state = state

    def card(self) -> Card:
        """The card behind the items."""
        raise NotImplementedError

    def collect(self) -> Iterable[pytest.Item]:
        """One item per check and board."""
        card = apply_options(self.card(), self._state.settings.options)
        for board in self._state.settings.boards:
            for check in check_names(card, board):
                yield CheckItem.from_parent(
                    self, name=f"{check}[{board}]", state=self._state, card=card, board=board, check=check
                )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The card's error, without a traceback."""
        if isinstance(excinfo.value, TinyhilError):
            return _text_of(excinfo.value)
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


class CheckItem(pytest.Item):
    """One check of one card on one board."""

    def __init__(self, *, state: PluginState, card: Card, board: str, check: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.card = card
        self.board = board
        self.check = check
        self._state = state
        self._run: CardRun | None = None
        self.add_marker("hil")

    def setup(self) -> None:
        """Makes the run, unless another check has."""
        self._run = self._state.run_of(self.card, self.board)
        self.user_properties += _properties(self._run.document, self.check)

    def runtest(self) -> None:
        """Raises CheckFailedError if the check failed; skips it if it was not measured."""
        assert self._run is not None
        check = next(c for c in self._run.outcome.verdict.checks if c.name == self.check)
        if check.status is Status.NOT_MEASURED:
            pytest.skip(check.summary)
        if check.status is Status.FAIL:
            raise CheckFailedError(self._run, check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """All checks of the run, without a traceback."""
        error = excinfo.value
        if isinstance(error, CheckFailedError):
            return plain(f"{error}\n{error.run.outcome.explain()}")
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File and title of the check."""
        return self.path, None, f"{self.card.name}: {self.check} on {self.board}"


class Hil:
    """Runs models on a board, for tests: the fixture `hil`.

    Attributes:
        board: the board's name.
    """

    def __init__(self, state: PluginState, board: str) -> None:
        self.board = board
        self._state = state

    def validate(
        self, model: str | Path, *, vectors: int | str | None = None, oracle: str | None = None
    ) -> Outcome:
        """Run a model or a card on the board and compare; `assert outcome.passed, outcome.explain()`.

        Args:
            model: a .tflite file or a .hil.yaml card.
            vectors: number of random vectors, or "COUNT:SEED", or an .npz file; None for the card's.
            oracle: the reference; None for the card's.

        Raises:
            TinyhilError: the run could not be made.
        """
        __tracebackhide__ = True
        try:
            return self._validate(Path(model), vectors, oracle)
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
            with self._state.progress(f"{Path(model).name} on {self.board}") as tell:
                return self._state.bench.run(Path(model), self.board, inputs, self._state.settings.options, tell)
        except TinyhilError as error:
            raise _without_frames(error) from None

    def _validate(self, model: Path, vectors: int | str | None, oracle: str | None) -> Outcome:
        card = card_of(model)
        if oracle is not None:
            check_choice("oracle", oracle)
        given: RandomVectors | FileVectors | None = None
        if vectors is not None:
            given = parse_vectors(str(vectors), Path.cwd())
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
    for name in settings.boards:
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
    return lines


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


def _text_of(error: TinyhilError) -> str:
    """An error's message, hint and details."""
    details = [plain(error.details)] if error.details else []
    return "\n".join([one_line(str(error)), *details, one_line(f"try: {error.hint}")])


def _tail(transcript: str, lines: int = 24) -> str:
    """The heading of a transcript and its last lines; the bundle has all of it."""
    head, *rest = transcript.splitlines()
    return plain("\n".join([head, *rest[-lines:]]))


def _properties(document: Document, check: str) -> list[tuple[str, object]]:
    """JUnit properties of an item."""
    memory, time = document["memory"], document["time"]
    found: dict[str, object] = {
        "board": document["board"]["asked"],
        "ran_on": document["board"]["ran_on"],
        "core": document["board"]["core"],
        "model_sha256": document["model"]["sha256"],
        "oracle": f"{document['oracle']['name']} {document['oracle']['version']}",
        "build_id": document["image"]["build_id"],
        "vectors": document["vectors"]["count"],
        "max_lsb": document["verdict"]["max_lsb"],
        "arena_bytes": memory["arena_measured"],
        "stack_bytes": memory["stack_measured"],
        "flash_bytes": memory["flash"],
        time["unit"]: time["total"],
    }
    for kernels in ("reference", "cmsis-nn"):
        found[f"ratio_to_tflm_{kernels}"] = rows.ratio_to_tflm(document, kernels, "total")
    figures = next(c["figures"] for c in document["verdict"]["checks"] if c["name"] == check)
    found |= {f"{check}.{name}": value for name, value in figures.items()}
    return [(f"tinyhil.{name}", value) for name, value in found.items() if value is not None]
