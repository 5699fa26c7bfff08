"""Post-training quantization: SQNR of every scheme on data apart, and whether `auto` took the best."""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from rich.console import Console

from harness.compression.stacks import forward
from harness.errors import TinyhilError
from harness.frontends import load
from harness.frontends.tflite import reader
from harness.ir.graph import Graph
from harness.ptq.calibration import DataPart, calibration_of
from harness.ptq.evaluation import Evaluation, accuracy_of, evaluate
from harness.ptq.scheme import CANDIDATES
from harness.ptq.search import SchemeSearch, search
from harness.quantization.types import DType
from harness.validate import vectors
from tests.bench.common import table
from tests.support import calibration_sets as sets
from tests.support.float_twin import float_twin
from tests.support.models import find_model
from tests.support.packaged import mltk_models, mnist
from tests.support.spoken import can_speak

_Kinds: TypeAlias = dict[str, "sets.Maker | sets.Labelled"]
"""Data by name."""

_BUDGET = 6_000_000
"""Of float activations of a set: large networks see fewer vectors."""
_MOST, _LEAST = 256, 32
"""Vectors of a set, unless `--vectors` names their number."""
_TESTS = 3
"""Times as many to test, unless `--tests` names their number: noise behind a SOFTMAX is that of few vectors."""

_REGRET_DB = 0.2

@dataclass(frozen=True)
class _Noted:
    """dB that were measured once on recorded data that are not here: TensorFlow's own quantizer, and a trial's."""

    tensorflow: float
    plain: float
    best: float


_NOTED = {
    "mnist_valid": _Noted(35.9, 35.1, 41.0),
    "mnist_dw": _Noted(29.5, 29.3, 32.9),
    "mnist_resnet": _Noted(39.7, 39.3, 43.1),
    "kws": _Noted(27.0, 26.9, 31.2),
    "ic": _Noted(16.2, 16.5, 18.7),
    "vww": _Noted(34.6, 34.5, 44.1),
}
_SAME_KIND_DB = 0.5
"""Data on which min-max ranges give as many dB as in the notes, but for this, are of their kind."""


@dataclass(frozen=True)
class _Case:
    """A network, and data of one kind."""

    model: str
    graph: Graph
    data: str
    make: sets.Maker | sets.Labelled

    def part(self, count: int, seed: int) -> DataPart:
        """Vectors, with labels where their kind has them."""
        made = self.make(self.graph.tensors[self.graph.inputs[0]].shape, count, seed)
        return DataPart((made[0],), made[1]) if isinstance(made, tuple) else DataPart((made,), None)


def run(console: Console, arguments: Sequence[str] = ()) -> None:
    """Prints a table for every network and kind of data; see `--help` for fewer."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench ptq")
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--data", default="", metavar="NAME", help="kinds of data whose name begins so")
    parser.add_argument("--vectors", type=int, metavar="N", help="so many to find ranges")
    parser.add_argument("--tests", type=int, metavar="N", help="so many to test; else 3 times as many")
    asked = parser.parse_args(list(arguments))
    chosen = (c for c in _cases() if c.model.startswith(asked.only) and c.data.startswith(asked.data))
    sums: list[_Sum] = []
    for case in chosen:
        began = time.perf_counter()
        try:
            sums.append(_show(console, case, asked.vectors, asked.tests))
        except TinyhilError as error:
            console.print(f"{case.model} on {case.data}: {error.message}")
            continue
        console.print(f"{time.perf_counter() - began:.0f} s in all")
    _conclude(console, sums)


@dataclass(frozen=True)
class _Sum:
    """What a case came to: dB on test data of min-max ranges, the best scheme and the one that `auto` took."""

    case: _Case
    plain: float
    best: float
    auto: float


def _conclude(console: Console, sums: Sequence[_Sum]) -> None:
    """Whether `auto` took the best, and the notes' figures where the data are of their kind."""
    title = f"auto under the best single scheme on test data (aim: {_REGRET_DB} dB); data of the notes' kind"
    made = table(title, "network and data", "under dB", "min-max dB", "notes' dB", "auto dB", "aim dB")
    for one in sums:
        noted = _NOTED.get(one.case.model)
        known = ["", "", f"{one.auto:.1f}", ""]
        if noted is not None:
            alike = abs(one.plain - noted.plain) <= _SAME_KIND_DB
            aim = f"{noted.best - 0.5:.1f}" if alike else "other kind"
            known = [f"{one.plain:.1f}", f"{noted.plain:.1f}", f"{one.auto:.1f}", aim]
        made.add_row(f"{one.case.model}, {one.case.data}", f"{one.best - one.auto:.2f}", *known)
    console.print(made)


def _show(console: Console, case: _Case, wished: int | None, tests: int | None) -> _Sum:
    graph = case.graph
    each = sum(t.elements for t in graph.tensors if t.data is None and t.dtype is DType.FLOAT32)
    count = wished or int(np.clip(_BUDGET // each, _LEAST, _MOST))
    given, test = case.part(count, 0), case.part(tests or _TESTS * count, 1)
    rows = vectors.from_arrays([[row] for row in given.inputs[0]], graph, case.data)
    found = search(graph, calibration_of(replace(rows, labels=given.labels), graph), CANDIDATES)
    judged = _judged(found, test)
    floats = accuracy_of(forward(graph, test.inputs)[graph.outputs[0]], test)
    title = f"{case.model} on {case.data}: {len(given)} vectors to find, {len(test)} others to test"
    made = table(title, "scheme", "judged dB", "kept back dB", "test dB", "accuracy", "seconds")
    for trial, one in zip(found.trials, judged, strict=True):
        if trial.evaluation is None or one is None:
            made.add_row(trial.scheme.name, "", "", "", "", trial.failure)
            continue
        name = f"{trial.scheme.name} <- auto" if trial is found.best else trial.scheme.name
        share = "" if one.accuracy is None else f"{one.accuracy:.1%}"
        judged_db = "" if trial.judgement is None else f"{trial.judgement.sqnr:.1f}"
        figures = [f"{trial.evaluation.worst_sqnr:.1f}", f"{one.worst_sqnr:.1f}", share, f"{trial.seconds:.1f}"]
        made.add_row(name, judged_db, *figures)
    if case.model in _NOTED:
        made.add_row("TensorFlow's, of the notes", "", "", f"{_NOTED[case.model].tensorflow:.1f}", "", "")
    if floats is not None:
        made.add_row("float", "", "", "", f"{floats:.1%}", "")
    console.print(made)
    chosen = judged[found.trials.index(found.best)]
    assert chosen is not None
    plain = judged[0]
    assert plain is not None and found.trials[0].scheme.name == "min-max"
    return _Sum(case, plain.worst_sqnr, max(one.worst_sqnr for one in judged if one), chosen.worst_sqnr)


def _judged(found: SchemeSearch, test: DataPart) -> list[Evaluation | None]:
    """Every trial over the test data."""
    return [
        None if t.quantized is None else evaluate(t.quantized, forward(t.quantized.source, test.inputs), test)
        for t in found.trials
    ]


def _cases() -> Iterator[_Case]:
    for name, file, kinds in (
        ("kws", "mlperftiny_kws_float32", {"noise -120 to 25": sets.noise(-120, 25), **_words()}),
        ("ic", "mlperftiny_ic_float32", _images(0, 255)),
        ("ad", "mlperftiny_ad_float32", {"noise -80 to 10": sets.noise(-80, 10), "motors": sets.motors}),
        ("mnist_dw", "tinymaix_mnist_dw_f", _digits()),
        ("mnist_valid", "tinymaix_mnist_valid_q", _digits()),
        ("mnist_resnet", "tinymaix_mnist_resnet_q", _digits()),
        ("vww", "mlperftiny_vww_int8", _images(0, 1)),
    ):
        path = find_model(file)
        if path is not None:
            is_float = not file.endswith(("_q", "_int8"))
            graph = load(path, floats=True) if is_float else reader.load(float_twin(reader.load(path)), name=path.stem)
            yield from _of(name if is_float else f"{name} (twin of its int8 file)", graph, kinds)
    for name, content in mltk_models().items():
        yield from _of(f"mltk {name}", reader.load(content, name=name), _mltk_data(name))


def _of(model: str, graph: Graph, kinds: _Kinds) -> Iterator[_Case]:
    return (_Case(model, graph, data, make) for data, make in kinds.items())


def _words() -> _Kinds:
    if can_speak():
        return {"words that espeak-ng speaks": sets.labelled_words}
    return {"speech-like sounds": sets.keywords}


def _digits() -> _Kinds:
    own: _Kinds = {"noise 0 to 1": sets.noise(0, 1), "scikit-learn's digits": sets.digits}
    return own if mnist() is None else {**own, "MNIST": sets.labelled_mnist}


def _images(low: float, high: float) -> _Kinds:
    kinds: _Kinds = {f"noise {low:g} to {high:g}": sets.noise(low, high)}
    kinds["drawn images"] = sets.ranged(low, high, sets.drawn)
    if importlib.util.find_spec("PIL"):
        kinds["photographs"] = sets.ranged(low, high, sets.photographs)
    return kinds


def _mltk_data(name: str) -> _Kinds:
    """By what the package's programs say that the networks hear and see."""
    if name.startswith("keyword"):
        return {"noise -128 to 127": sets.noise(-128, 127), "speech-like bands": sets.spectrograms}
    if name.startswith("autoencoder"):
        return {"noise 0 to 1": sets.noise(0, 1), "heartbeats": sets.heartbeats}
    return {"noise -2 to 2": sets.noise(-2, 2), "drawn images": sets.standardised(sets.drawn)}
