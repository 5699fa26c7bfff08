"""A model at several addresses beside the form that is linked: what the document says, and its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harness.elf.sizes import SectionSizes
from harness.report.table import ReportTable
from harness.runtimes.relocatable import LIBRARY

if TYPE_CHECKING:
    from harness.validate.measurement import Measurement
    from harness.validate.outcome import Outcome

Document: TypeAlias = dict[str, Any]


def addresses_document(outcome: Outcome) -> list[Document]:
    """What each address showed; none of a form that is linked."""
    if outcome.static is None:
        return []
    from harness.validate.places import differs

    first = outcome.places[0].measurement
    return [
        {"name": run.name, "same": not differs(first, run.measurement), **_figures(run.measurement)}
        for run in outcome.places
    ]


def static_document(outcome: Outcome) -> Document | None:
    """The figures of the form that is linked, on the first vector; None for that form itself."""
    if outcome.static is None:
        return None
    library = outcome.image.sizes.objects.get(LIBRARY, SectionSizes()).flash
    return {**_figures(outcome.static.measurement), "flash": outcome.static.flash, "library": library}


def _figures(measured: Measurement) -> Document:
    return {
        "total": measured.total,
        "layers": list(measured.layer_ticks or ()),
        "arena": measured.arena_high,
        "stack": measured.stack_high or None,
    }


def addresses(document: Document) -> ReportTable:
    """One line per address, and one of the form that is linked."""
    static, unit = document["static"], document["time"]["unit"] or "-"
    columns = ("address", "the same bytes", unit, "to static", "arena B", "stack B", "flash B")
    linked = [_number(static[name]) for name in ("arena", "stack", "flash")]
    rows = [("static", "", _number(static["total"]), "", *linked)]
    for place in document["addresses"]:
        rows.append(
            (
                place["name"],
                "yes" if place["same"] else "no",
                _number(place["total"]),
                _more(place["total"], static["total"]),
                _number(place["arena"]),
                _number(place["stack"]),
                _number(document["memory"]["flash"]),
            )
        )
    note = f"of the file {_number(static['library'])} B are the compiler's library (memcpy, soft float), "
    note += "which a static firmware holds beside the model"
    return ReportTable("Addresses", columns, tuple(rows), frozenset(columns[2:]), (note,))


def layers(document: Document) -> ReportTable:
    """The price beside the form that is linked, by layer."""
    static, places, unit = document["static"], document["addresses"], document["time"]["unit"]
    columns = ["#", "layer", "static"]
    for place in places:
        columns += [place["name"], f"more, {place['name']}"]
    rows = []
    for index, layer in enumerate(document["layers"]):
        rows.append((str(layer["index"]), layer["name"], *_line(index, static, places)))
    total = [_number(static["total"])]
    for place in places:
        total += [_number(place["total"]), _more(place["total"], static["total"])]
    rows.append(("", "inference", *total))
    title = f"Price of the form {document['form']} by layer, {unit or 'no time to tell'}"
    return ReportTable(title, tuple(columns), tuple(rows), frozenset(columns) - {"layer"}, drop=tuple(columns[:1]))


def _line(index: int, static: Document, places: list[Document]) -> list[str]:
    linked = _at(static["layers"], index)
    cells = [_number(linked)]
    for place in places:
        value = _at(place["layers"], index)
        cells += [_number(value), _more(value, linked)]
    return cells


def _at(values: list[int], index: int) -> int | None:
    return values[index] if index < len(values) else None


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _more(value: int | None, base: int | None) -> str:
    if value is None or not base:
        return "-"
    return f"{value - base:+,} ({(value - base) / base:+.2%})"
