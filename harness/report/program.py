"""A program's profile as tables."""

from __future__ import annotations

from harness.report.cycles import STALLS, where
from harness.report.document import Document
from harness.report.rows import number, percent
from harness.report.table import ReportTable


def regions(document: Document) -> ReportTable:
    """One line per region, those within it below it: entries, instructions, modelled cycles and what held them up."""
    columns = ("region", "entries", "instructions", "modelled cycles", "%", "own cycles", "/entry", *STALLS)
    rows = tuple(
        (
            "  " * region["depth"] + region["name"],
            number(region["entries"]),
            number(region["instructions"]["value"]),
            number(region["cycles"]["value"]),
            percent(region["share"]),
            number(region["own"]["cycles"]["value"]),
            number(round(region["cycles"]["value"] / region["entries"])),
            *(number(region["causes"][cause]["value"]) for cause in STALLS),
        )
        for region in document["regions"]
    )
    title = f"Modelled cycles of {document['name']}, {where(document)}: {document['label']}"
    drop = ("load-use", "interlock", "branch", "fetch", "data", "/entry", "own cycles", "entries", "instructions")
    return ReportTable(title, columns, rows, frozenset(columns) - {"region"}, summary(document), drop=drop)


def summary(document: Document) -> tuple[str, ...]:
    """Lines on the run and the model that the figures are from."""
    low, cycles, high = (document[name]["value"] for name in ("low", "cycles", "high"))
    lines = [
        f"  {document['profiled']}: {document['instructions']['value']:,} instructions, {cycles:,} modelled cycles "
        f"({low:,} to {high:,})"
    ]
    time = document["milliseconds"]
    if time is not None:
        lines.append(f"  {time['cycles']:.3g} ms ({time['low']:.3g} to {time['high']:.3g}) on {document['setup']}")
    lines.append(f"  executed under {document['emulator']}, without what interrupts execute")
    if document["toolchain"]:
        lines.append(f"  compiled by {document['toolchain']}")
    lines += [f"  {text}" for text in document["validation"]]
    if document["unknown"]:
        unknown = ", ".join(f"{name} ({times:,})" for name, times in document["unknown"].items())
        lines.append(f"  not in the core's table, and taken for a cycle each: {unknown}")
    return (*lines, *(f"  {note}" for note in document["notes"]))
