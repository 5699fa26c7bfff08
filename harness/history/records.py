"""Records of the history: what a run is, which figures it has, and what is kept of a bundle."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self, TypeAlias

Number: TypeAlias = int | float


class RunSubject(NamedTuple):
    """What is followed over time: one model on one board, compiled for one goal, computed by one runtime.

    Attributes:
        model: name of the card or model.
        board: the board that ran, which may be another's stand-in; of a run that an error ended, the one asked for.
        mode: what was optimized for ("balanced", "time", "ram", "flash"); "" where it is not known.
        runtime: what computed the model ("tinyhil", "tflm", ...); "" where it is not known.
    """

    model: str
    board: str
    mode: str
    runtime: str

    def __str__(self) -> str:
        more = ", ".join(part for part in (self.mode, self.runtime) if part)
        return f"{self.model} on {self.board}{f' ({more})' if more else ''}"


class FigureKey(NamedTuple):
    """What a number says: a metric (harness.history.metrics) in a unit. Figures of two units are two figures."""

    metric: str
    unit: str


@dataclass(frozen=True)
class LayerLine:
    """A layer of a compiled network.

    Attributes:
        name, op, kernel: as in results.json.
        macs: multiply-accumulates of an inference.
        operators: indices of the model file's operators that it computes.
        tflm: TFLM's time for these, by its kernels, in the unit of the run.
    """

    name: str
    op: str = ""
    kernel: str = ""
    macs: int | None = None
    operators: tuple[int, ...] = ()
    tflm: Mapping[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkLayout:
    """The layers of a compiled network, which many runs share.

    Attributes:
        text: them as JSON; read when they are asked for, as most are compared by their numbers alone.
    """

    text: str = "[]"

    @classmethod
    def of(cls, lines: Iterable[LayerLine]) -> Self:
        """The layout of these layers."""
        plain = [
            {"name": line.name, "op": line.op, "kernel": line.kernel, "macs": line.macs, "operators": line.operators,
             "tflm": line.tflm}
            for line in lines
        ]  # fmt: skip
        return cls(json.dumps(plain, separators=(",", ":"), allow_nan=False))

    @cached_property
    def lines(self) -> tuple[LayerLine, ...]:
        """The layers in order."""
        return tuple(LayerLine(**{**line, "operators": tuple(line["operators"])}) for line in json.loads(self.text))


    @cached_property
    def names(self) -> tuple[str, ...]:
        """The layers' names; with their place where several have one name."""
        seen = Counter(line.name for line in self.lines)
        return tuple(
            line.name if seen[line.name] == 1 else f"{line.name} ({place})" for place, line in enumerate(self.lines)
        )


@dataclass(frozen=True)
class StoredRun:
    """One run: a model on a board.

    Attributes:
        verdict: "pass", "fail" or "error".
        why: the first check that failed, or the error, in a sentence; "" for a run that passed.
        facts: what it was made with, by name: hashes, versions, clock, the chip's memory, budgets.
        figures: of the whole run.
        samples: of figures that were measured more than once, all of their values.
        layout: the layers of the compiled network.
        layer_figures: per figure one value for each layer, None where there is none.
        number: its number in the store; 0 before it is in one.
        bundle: the number of its bundle.
        at: seconds since 1970, UTC.
        revision: of the sources it was made from, "" where it is not known; with "+" where they were changed.
        session: name of the nightly or session that it belongs to; may be "".
    """

    subject: RunSubject
    verdict: str
    why: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[FigureKey, Number] = field(default_factory=dict)
    samples: Mapping[FigureKey, tuple[Number, ...]] = field(default_factory=dict)
    layout: NetworkLayout = NetworkLayout()
    layer_figures: Mapping[FigureKey, tuple[Number | None, ...]] = field(default_factory=dict)
    number: int = 0
    bundle: int = 0
    at: float = 0.0
    revision: str = ""
    session: str = ""


@dataclass(frozen=True)
class StoredBundle:
    """What is kept of a results bundle besides its runs.

    Attributes:
        digest: SHA-256 of its content, by which it is known when it comes again.
        at: when it was made, seconds since 1970, UTC.
        revision, branch: of the sources; "" where they are not known.
        dirty: whether the sources were changed besides.
        verdict: "pass", "fail" or "error".
        command: as it was given.
        tools: versions by name.
        environment: where it was made, by name.
        runs: in the bundle's order.
    """

    digest: str
    at: float
    revision: str
    branch: str
    dirty: bool
    verdict: str
    command: str
    tools: Mapping[str, str]
    environment: Mapping[str, Any]
    runs: tuple[StoredRun, ...]


@dataclass(frozen=True)
class Added:
    """What became of a bundle that was given to the store.

    Attributes:
        bundle: its number in the store.
        runs: numbers of its runs.
        new: False where the store had it already.
        rows: figures that were written, those of layers included.
    """

    bundle: int
    runs: tuple[int, ...]
    new: bool
    rows: int
