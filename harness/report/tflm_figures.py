"""What TFLM takes for a model on some cores, as a JSON-ready document and as tables (docs/estimates.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.report.document import SCHEMA_VERSION, Document, finite
from harness.report.plain import one_line
from harness.report.table import ReportTable
from harness.report.tflm import MARKS, marked
from harness.tflm.figures import TflmFigures
from harness.tflm.origin import Basis, TflmFigure
from harness.units import Unit

_SUMS = ("total", "arena", "stack", "flash")
_NAMES = {"total": "instructions are", "arena": "the arena is", "stack": "stack is", "flash": "flash is"}
_LEGEND = {
    Basis.RECORDED: "recorded: measured of this very model",
    Basis.LOOKED_UP: f"{MARKS['looked-up']} looked up: layers of these shapes and parameters, as in other models",
    Basis.ESTIMATED: f"{MARKS['estimated']} estimated from the loops of its layers; +-: nine of ten are within it",
}


def document(name: str, path: str, sha256: str, found: Sequence[TflmFigures]) -> Document:
    """The document of a model on some cores."""
    return finite(
        {
            "kind": "tflm",
            "schema": SCHEMA_VERSION,
            "name": name,
            "model": {"file": path, "sha256": sha256},
            "unit": Unit.INSTRUCTIONS.value,
            "cores": [_core(one) for one in found],
        }
    )


def _core(found: TflmFigures) -> dict[str, Any]:
    return {
        "core": found.core,
        "build": found.build,
        **{name: _figure(getattr(found, name)) for name in _SUMS},
        "faults": list(found.faults),
        "layers": [{"op": one.op, "fault": one.fault, **_figure(one.figure)} for one in found.layers],
    }


def _figure(figure: TflmFigure) -> dict[str, Any]:
    return {
        "value": figure.value,
        "origin": figure.origin.value,
        "error": round(figure.error, 4),
        "reason": figure.reason,
    }


def tables(shown: Document, *, layers: bool) -> Iterator[ReportTable]:
    """A line for each core; with `layers` one for each layer on each core, too."""
    if layers:
        yield from (_layers(core) for core in shown["cores"])
    columns = ("core", shown["unit"], "+-", "arena B", "stack B", "flash B")
    rows = []
    for core in shown["cores"]:
        sums = [_cell(core[name]) for name in _SUMS]
        rows.append((core["core"], sums[0], _error(core["total"]), *sums[1:]))
    notes = [*_origins(shown), *_unknown(shown), *_faults(shown)]
    notes += dict.fromkeys(f"measured: {one_line(core['build'])}" for core in shown["cores"])
    notes.append("flash: a program with this model's operators alone, and the model file")
    title = f"TFLM with CMSIS-NN: {one_line(shown['name'])}"
    yield ReportTable(title, columns, tuple(rows), frozenset(columns[1:]), tuple(notes), attached=frozenset({"+-"}))


def _layers(core: Document) -> ReportTable:
    columns = ("#", "op", "instructions", "+-", "origin", "wrong")
    rows = tuple(
        (str(place), layer["op"], _cell(layer), _error(layer), layer["origin"], "wrong" if layer["fault"] else "")
        for place, layer in enumerate(core["layers"])
    )
    return ReportTable(f"Layers, {core['core']}", columns, rows, frozenset({"#", "instructions", "+-"}))


def _cell(figure: Document) -> str:
    return "not known" if figure["value"] is None else marked(f"{figure['value']:,}", figure["origin"])


def _error(figure: Document) -> str:
    return f"{figure['error'] * 100:.1f} %" if figure["value"] is not None and figure["error"] else "-"


def _origins(shown: Document) -> list[str]:
    found = {
        figure["origin"] for core in shown["cores"] for figure in (*(core[name] for name in _SUMS), *core["layers"])
    }
    return [text for origin, text in _LEGEND.items() if origin.value in found]


def _unknown(shown: Document) -> list[str]:
    """Why figures are not known, each once."""
    reasons: dict[str, None] = {}
    for core in shown["cores"]:
        for name in _SUMS:
            if core[name]["value"] is None:
                reasons[f"{_NAMES[name]} not known: nothing like {one_line(core[name]['reason'])} was measured"] = None
    return list(reasons)


def _faults(shown: Document) -> list[str]:
    found: dict[str, list[str]] = {}
    for core in shown["cores"]:
        for fault in core["faults"]:
            found.setdefault(one_line(fault), []).append(core["core"])
    end = "its figure is not of the right result"
    return [f"wrong on {', '.join(cores)}: {fault}; {end}" for fault, cores in found.items()]
