"""A program's profile as one HTML file: its regions as a flame graph and a table, and the hottest code."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from harness.report import cycles, program
from harness.report.document import Document
from harness.report.html.svg import box, label, picture
from harness.report.html.templates import templates

_HEIGHT, _GAP = 24.0, 2.0
_LEAST_WIDTH, _LEAST_LABELLED = 0.0004, 0.025
"""Shares of the whole: narrower boxes are not drawn, narrower ones have no text."""


def render(document: Document) -> str:
    """The page of a program."""
    made = {
        "title": f"{document['name']} on {document['board']}",
        "facts": program.summary(document),
        "flame": flame(document),
        "regions": program.regions(document),
        "hot": [(heading, "\n".join(listing)) for heading, listing in cycles.hot(document, "all that is profiled")],
    }
    return str(templates().get_template("program.html.j2").render(made)) + "\n"


def flame(document: Document) -> Markup:
    """Regions by modelled cycles, what lies within one below it; empty for a program that takes no cycles."""
    whole = document["cycles"]["value"]
    if not whole:
        return Markup()
    depth = 1 + max(region["depth"] for region in document["regions"])
    longest = sorted(document["regions"], key=lambda region: -region["own"]["cycles"]["value"])[:3]
    text = ", ".join(f"{r['name']} {100 * r['own']['cycles']['value'] / whole:.1f} %" for r in longest)
    about = f"From above: {document['profiled']}, and what lies within it. The longest alone: {text}."
    shapes = "".join(_boxes(document, whole))
    return picture("flame", depth * (_HEIGHT + _GAP), "Modelled cycles by region", about, shapes)


def _boxes(document: Document, whole: int) -> Iterator[str]:
    free: dict[int, float] = {}  # by region: where the next one within it begins
    for region in document["regions"]:
        x = free.get(region["parent"], 0.0)
        width = region["cycles"]["value"] / whole
        free[region["parent"]] = x + width
        free[region["number"]] = x
        if width < _LEAST_WIDTH:
            continue
        figures = (
            f"{region['cycles']['value']:,} modelled cycles, {100 * width:.1f} %, of them "
            f"{region['own']['cycles']['value']:,} its own; {region['entries']:,} times"
        )
        y = region["depth"] * (_HEIGHT + _GAP)
        kind = "part " + ("whole" if not region["depth"] else "layer" if region["depth"] == 1 else "function")
        yield box(x, y, width, _HEIGHT, kind, title=f"{region['name']}: {figures}")
        if width > _LEAST_LABELLED:
            yield label(x + 0.002, y + 4, width - 0.003, region["name"])
