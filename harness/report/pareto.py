"""The curve of arena against time of a model, as a JSON-ready document and as a table with bars."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compiler.compile import TradeOff
from harness.ir.graph import Graph
from harness.report.document import SCHEMA_VERSION, Document, finite, model_document
from harness.report.table import ReportTable
from harness.units import Unit

_BAR = 24
"""Columns of the longest bar."""

_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"
"""Eighths of a column."""


def document(graph: Graph, path: str, board: str, found: Sequence[TradeOff]) -> Document:
    """The document of the selections that no other beats in both arena and time, the fastest first."""
    points = [{"arena": point.arena, "cycles": point.cycles, "streamed": point.streamed} for point in found]
    return finite(
        {
            "kind": "pareto",
            "schema": SCHEMA_VERSION,
            "model": model_document(graph, path),
            "name": graph.name,
            "board": board,
            "unit": Unit.MODELLED_CYCLES.value,
            "points": points,
        }
    )


def table(made: Document) -> ReportTable:
    """The curve, a line a point, with bars of its arena and its time."""
    points = made["points"]
    most, slowest = (max(point[key] for point in points) for key in ("arena", "cycles"))
    fastest = points[0]["cycles"]
    rows = tuple(
        (
            f"{point['arena']:,}",
            bar(point["arena"] / most),
            f"{point['cycles']:,.0f}",
            f"{point['cycles'] / fastest:.2f}",
            bar(point["cycles"] / slowest),
            f"{point['streamed']}" if point["streamed"] else "",
        )
        for point in points
    )
    return ReportTable(
        f"{made['name']} on {made['board']}: arena against time",
        ("arena B", "", made["unit"], "x fastest", " ", "layers by rows"),
        rows,
        right=frozenset({"arena B", made["unit"], "x fastest", "layers by rows"}),
        notes=("each is reached by --max-arena BYTES; times are expected ones, without running the model",),
        drop=("layers by rows", " ", ""),
    )


def bar(share: float) -> str:
    """A bar of a share from 0 to 1 of the longest, in eighths of a column."""
    eighths = max(round(share * _BAR * 8), 1)
    return "\u2588" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
