"""TFLM's measured figures that ship with tinyhil: whole models by their hash, and layers by their shapes.

harness/data/tflm/figures.json.gz has executed instructions of one build of TFLM with CMSIS-NN on four cores, and its
provenance. `python -m tests.bench tflm --make FILE` makes it. It is read when first asked for.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from harness import resources
from harness.tflm.layer import TflmLayer
from harness.tflm.loops.elementwise import steps_that_count
from harness.tflm.reading import TflmTensor


@dataclass(frozen=True)
class RecordedRun:
    """A model on a core.

    Attributes:
        total: instructions of an inference.
        layers: of each operator.
        arena: bytes that TFLM said it used.
        stack: bytes of stack of Invoke().
        flash: bytes of code and constants of a program with this model's operators alone, without the model; None
            where it was not measured.
        exact: whether the outputs equalled those of the reference kernels; None where that was not compared.
    """

    total: int
    layers: tuple[int, ...]
    arena: int
    stack: int
    flash: int | None
    exact: bool | None


@dataclass(frozen=True)
class RecordedMemory:
    """What decides the arena of a model, as harness.tflm.reading.TflmModel has it."""

    tensors: tuple[TflmTensor, ...]
    count: int
    ends: int


@dataclass(frozen=True)
class RecordedModel:
    """A model whose figures were measured.

    Attributes:
        generated: whether it is one layer that was made to be measured.
        kind: what it computes with: "int8", "int16x8", "float32", ...
        size: bytes of the file.
        rows: its layers, as rows of the table of layers.
        runs: by core.
        memory: None where only its layers are known.
    """

    name: str
    sha256: str
    generated: bool
    kind: str
    size: int
    rows: tuple[int, ...]
    runs: Mapping[str, RecordedRun]
    memory: RecordedMemory | None


@dataclass(frozen=True)
class MeasuredLayer:
    """A layer that was measured.

    Attributes:
        generated: whether it was made to be measured.
        values: instructions by core.
        wrong: cores on which TFLM's outputs of a model of this layer alone were not those of the reference kernels.
    """

    layer: TflmLayer
    generated: bool
    values: Mapping[str, int]
    wrong: frozenset[str] = frozenset()


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(resources.data("tflm", "figures.json.gz").read_bytes()))
    return content


def cores() -> tuple[str, ...]:
    """The cores that something is known of."""
    return tuple(_content()["cores"])


def provenance() -> Mapping[str, Any]:
    """Versions, flags and machines of the build that was measured."""
    meta: Mapping[str, Any] = _content()["meta"]
    return meta


def build() -> str:
    """Which build was measured, in a line."""
    meta = provenance()
    compiler = meta["compiler"].rpartition(")")[2].split()[0]
    return (
        f"TFLM {meta['tflite_micro'][:7]} with CMSIS-NN {meta['cmsis_nn'][:7]}, GCC {compiler}, "
        "kernels and CMSIS-NN -O2, core -Os"
    )


@cache
def layers() -> tuple[MeasuredLayer, ...]:
    """All layers, each once."""
    wrong: dict[int, set[str]] = {}
    for entry in _content()["models"]:
        if entry["generated"]:
            inexact = {core for core, run in zip(cores(), entry["runs"], strict=True) if run["exact"] is False}
            wrong.setdefault(entry["layers"][0], set()).update(inexact)
    return tuple(
        MeasuredLayer(
            TflmLayer.from_dict(entry),
            generated,
            dict(zip(cores(), values, strict=True)),
            frozenset(wrong.get(row, ())),
        )
        for row, (entry, generated, values) in enumerate(_content()["layers"])
    )


@cache
def models() -> tuple[RecordedModel, ...]:
    """All models, generated ones too."""
    return tuple(_model(entry) for entry in _content()["models"])


@cache
def _places() -> dict[str, int]:
    return {entry["sha256"]: place for place, entry in enumerate(_content()["models"])}


def recorded(sha256: str) -> RecordedModel | None:
    """The model of this hash."""
    place = _places().get(sha256)
    return None if place is None else _model(_content()["models"][place])


def _model(entry: Mapping[str, Any]) -> RecordedModel:
    runs = dict(zip(cores(), entry["runs"], strict=True))
    return RecordedModel(
        name=entry["name"],
        sha256=entry["sha256"],
        generated=entry["generated"],
        kind=entry["kind"],
        size=entry["bytes"],
        rows=tuple(entry["layers"]),
        runs={core: _run(run, entry["layers"], place) for place, (core, run) in enumerate(runs.items())},
        memory=_memory(entry["memory"]),
    )


def _memory(entry: Mapping[str, Any] | None) -> RecordedMemory | None:
    if entry is None:
        return None
    tensors = tuple(TflmTensor(*numbers) for numbers in entry["tensors"])
    return RecordedMemory(tensors, entry["count"], entry["ends"])


def _run(run: Mapping[str, Any], rows: Sequence[int], core: int) -> RecordedRun:
    """A run; layers that were measured more than once have the table's figure, but for those that differed."""
    table, other = _content()["layers"], run["other"]
    values = tuple(other.get(str(at), table[row][2][core]) for at, row in enumerate(rows))
    return RecordedRun(run["total"], values, run["arena"], run["stack"], run["flash"], run["exact"])


@cache
def _by_layer() -> dict[TflmLayer, MeasuredLayer]:
    return {same_cost(measured.layer): measured for measured in layers()}


def look_up(layer: TflmLayer, core: str) -> int | None:
    """Instructions of a layer of these shapes and parameters; None where none was measured on the core."""
    found = _by_layer().get(same_cost(layer))
    return None if found is None else found.values.get(core)


def same_cost(layer: TflmLayer) -> TflmLayer:
    """The layer with, of its quantization, only what its cost depends on."""
    layer = replace(layer, per_channel=False)
    first, last = layer.quant
    if first is None:
        return layer
    if layer.op == "SOFTMAX":
        return replace(layer, quant=((1.0, steps_that_count(first[0])), None))
    alike = last is not None and first[0] == last[0]
    return replace(layer, quant=((1.0, abs(first[1] - last[1])) if alike and last else (0.0, 0), None))
