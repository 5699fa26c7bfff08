"""What TensorFlow Lite Micro with CMSIS-NN takes for a model on a core.

Of a model that was measured, its record; of others each layer by one that was measured with the same shapes and
parameters, or by the counts of its loops. Every figure says which.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.tflm import costs, records
from harness.tflm.layer import TflmLayer
from harness.tflm.loops import known_fault
from harness.tflm.origin import Basis, TflmFigure, total, unknown
from harness.tflm.reading import TflmModel, read

LOOKED_UP_ERROR = 0.02
"""Data changes most layers by as much, at most (a second input: 1.9 %)."""

DATA_DECIDES = frozenset({"SOFTMAX", "LOGISTIC", "QUANTIZE", "DEQUANTIZE", "ADD", "SUB", "MUL"})
"""Operators that data or scales change by more: what is looked up is as far off as an estimate may be."""


@dataclass(frozen=True)
class TflmLayerFigure:
    """Instructions of an operator of a model file.

    Attributes:
        fault: what TFLM is known to compute wrongly in it; "" for nothing.
    """

    op: str
    figure: TflmFigure
    fault: str = ""


@dataclass(frozen=True)
class TflmFigures:
    """A model on a core.

    Attributes:
        build: of TFLM, that was measured.
        total: instructions of an inference.
        layers: of each operator of the file, in its order.
        arena, stack: bytes that are used of them.
        flash: bytes of a program that has the operators of this model alone, and of the model file.
    """

    core: str
    build: str
    total: TflmFigure
    layers: tuple[TflmLayerFigure, ...]
    arena: TflmFigure
    stack: TflmFigure
    flash: TflmFigure

    @property
    def faults(self) -> tuple[str, ...]:
        """What TFLM is known to compute wrongly in this model, each once."""
        return tuple(dict.fromkeys(layer.fault for layer in self.layers if layer.fault))


def refusal(core: str) -> str:
    """Why nothing is known on a core; "" where something is."""
    if core in records.cores():
        return ""
    return f"nothing is known of TFLM on {core}: layers were measured on {', '.join(records.cores())}"


def figures(data: bytes, sha256: str, core: str, *, look_up: bool = True, place: str = "model") -> TflmFigures:
    """What TFLM takes for a model on a core that something is known of.

    Args:
        data: the bytes of the .tflite file that TFLM would be given.
        sha256: of the file, as records have it.
        core: one that `refusal` does not refuse.
        look_up: whether records of models and layers are taken; else all is estimated.
        place: names the file in errors.

    Raises:
        ModelFileError: it is not a .tflite file, or damaged.
    """
    model = read(data, place)
    record = records.recorded(sha256) if look_up else None
    if record is not None and len(record.rows) == len(model.layers):
        return _recorded(model, record.runs[core], core)
    layers = tuple(
        TflmLayerFigure(layer.op, _layer(layer, core, look_up), known_fault(layer, core)) for layer in model.layers
    )
    return TflmFigures(
        core=core,
        build=records.build(),
        total=total((layer.figure for layer in layers), costs.around(core, len(layers))),
        layers=layers,
        arena=costs.arena(model, core),
        stack=costs.stack(model, core),
        flash=costs.flash(model, core),
    )


def _layer(layer: TflmLayer, core: str, look_up: bool) -> TflmFigure:
    estimate = costs.estimate(layer, core)
    value = records.look_up(layer, core) if look_up else None
    if value is None:
        return estimate
    error = max(LOOKED_UP_ERROR, estimate.error) if layer.op in DATA_DECIDES else LOOKED_UP_ERROR
    return TflmFigure(value, Basis.LOOKED_UP, error)


def _recorded(model: TflmModel, run: records.RecordedRun, core: str) -> TflmFigures:
    def taken(value: int | None, besides: int = 0) -> TflmFigure:
        return unknown("this model's program") if value is None else TflmFigure(value + besides, Basis.RECORDED)

    return TflmFigures(
        core=core,
        build=records.build(),
        total=taken(run.total),
        layers=tuple(
            TflmLayerFigure(layer.op, taken(value), known_fault(layer, core))
            for layer, value in zip(model.layers, run.layers, strict=True)
        ),
        arena=taken(run.arena),
        stack=taken(run.stack),
        flash=taken(run.flash, model.size),
    )
