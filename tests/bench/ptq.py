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

_REGRET_DB = 0.2

_PUBLISHED = {"mnist_valid": 35.9, "mnist_dw": 29.5, "mnist_resnet": 39.7, "kws": 27.0, "ic": 16.2, "vww": 34.6}
"""dB of TensorFlow's own quantizer (2.x, once, on recorded data that are not here): to compare with roughly."""


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
    parser.add_argument("--vectors", type=int, metavar="N", help="so many to find ranges, and as many to test")
    asked = parser.parse_args(list(arguments))
    chosen = (c for c in _cases() if c.model.startswith(asked.only) and c.data.startswith(asked.data))
    sums: list[tuple[str, float]] = []
    for case in chosen:
        began = time.perf_counter()
        try:
            sums.append((f"{case.model}, {case.data}", _show(console, case, asked.vectors)))
        except TinyhilError as error:
            console.print(f"{case.model} on {case.data}: {error.message}")
            continue
        console.print(f"{time.perf_counter() - began:.0f} s in all")
    worst = table(f"auto under the best single scheme on test data (aim: {_REGRET_DB} dB)", "network and data", "dB")
    for name, regret in sums:
        worst.add_row(name, f"{regret:.2f}")
    console.print(worst)


def _show(console: Console, case: _Case, wished: int | None) -> float:
    graph = case.graph
    each = sum(t.elements for t in graph.tensors if t.data is None and t.dtype is DType.FLOAT32)
    count = wished or int(np.clip(_BUDGET // each, _LEAST, _MOST))
    given, test = case.part(count, 0), case.part(count, 1)
    rows = vectors.from_arrays([[row] for row in given.inputs[0]], graph, case.data)
    found = search(graph, calibration_of(replace(rows, labels=given.labels), graph), CANDIDATES)
    judged = _judged(found, test)
    floats = accuracy_of(forward(graph, test.inputs)[graph.outputs[0]], test)
    title = f"{case.model} on {case.data}: {len(given)} vectors to find, {len(test)} others to test"
    made = table(title, "scheme", "kept back dB", "test dB", "accuracy", "seconds")
    for trial, one in zip(found.trials, judged, strict=True):
        if trial.evaluation is None or one is None:
            made.add_row(trial.scheme.name, "", "", "", trial.failure)
            continue
        name = f"{trial.scheme.name} <- auto" if trial is found.best else trial.scheme.name
        share = "" if one.accuracy is None else f"{one.accuracy:.1%}"
        made.add_row(name, f"{trial.evaluation.worst_sqnr:.1f}", f"{one.worst_sqnr:.1f}", share, f"{trial.seconds:.1f}")
    if case.model in _PUBLISHED:
        made.add_row("TensorFlow's, published", "", f"{_PUBLISHED[case.model]:.1f}", "", "")
    if floats is not None:
        made.add_row("float", "", "", f"{floats:.1%}", "")
    console.print(made)
    chosen = judged[found.trials.index(found.best)]
    assert chosen is not None
    return max(one.worst_sqnr for one in judged if one) - chosen.worst_sqnr


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
