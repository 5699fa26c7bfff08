"""A flame graph of modelled cycles as inline SVG: the inference, its layers, their functions, and blocks of code.

Widths are modelled cycles; blocks that branch to themselves are coloured as loops. Hovering shows the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from harness.report.document import Document

_WIDTH, _HEIGHT, _GAP = 1200.0, 22.0, 1.0
_LEAST_WIDTH = 0.4
"""In pixels; narrower boxes are not drawn."""
_LETTER = 6.3


def flame(document: Document) -> str:
    """The picture; empty for a model that takes no cycles."""
    cycles = int(document["cycles"]["value"])
    if not cycles:
        return ""
    shapes = list(_row(document, cycles))
    height = 4 * (_HEIGHT + _GAP)
    return (
        f'<svg class=flame viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}" height="{height:.0f}" role=img '
        f'aria-label="Modelled cycles by layer, function and block">{"".join(shapes)}</svg>'
    )


def _row(document: Document, cycles: int) -> Iterator[str]:
    scale = _WIDTH / cycles
    unit = document["unit"]
    yield _box(0, 0.0, _WIDTH, "whole", "inference", f"inference: {cycles:,} {unit}")
    x = 0.0
    for layer in document["layers"]:
        value = layer["cycles"]["value"]
        name = f"{layer['index']} {layer['name']}"
        yield _box(1, x, value * scale, "layer", name, f"{name}, {layer['kernel']}: {_figures(value, cycles, unit)}")
        inner = x
        for function in layer["functions"]:
            value = function["cycles"]["value"]
            text = f"{function['name']} in {name}: {_figures(value, cycles, unit)}"
            yield _box(2, inner, value * scale, "function", function["name"], text)
            at = inner
            for block in function["blocks"]:
                value = block["cycles"]["value"]
                text = f"{block['place']}, {block['count']:,} times: {_figures(value, cycles, unit)}"
                kind = "loop" if block["loops"] else "block"
                yield _box(3, at, value * scale, kind, block["place"], text)
                at += value * scale
            inner += function["cycles"]["value"] * scale
        x += layer["cycles"]["value"] * scale


def _figures(value: int, cycles: int, unit: str) -> str:
    return f"{value:,} {unit}, {100 * value / cycles:.1f} %"


def _box(row: int, x: float, width: float, kind: str, label: str, title: str) -> str:
    if width < _LEAST_WIDTH:
        return ""
    y = row * (_HEIGHT + _GAP)
    room = int((width - 6) / _LETTER)
    shown = label if len(label) <= room else label[: room - 1] + "…" if room > 3 else ""
    text = f'<text x="{x + 3:.1f}" y="{y + 15:.1f}">{escape(shown)}</text>' if shown else ""
    return (
        f'<g><title>{escape(title)}</title><rect class={kind} x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" '
        f'height="{_HEIGHT:.0f}"/>{text}</g>'
    )
