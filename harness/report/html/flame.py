"""A flame graph of modelled cycles: the inference, its layers, their functions, and blocks of code.

Widths are modelled cycles; blocks that branch to themselves are marked as loops. Hovering shows the figures.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from harness.report.document import Document
from harness.report.html.svg import box, label, picture

_HEIGHT, _GAP = 24.0, 2.0
_LEAST_WIDTH = 0.0004
"""As a share of the whole; narrower boxes are not drawn."""
_LEAST_LABELLED = 0.025


def flame(document: Document) -> Markup:
    """The picture; empty for a model that takes no cycles."""
    cycles = int(document["cycles"]["value"])
    if not cycles:
        return Markup()
    longest = sorted(document["layers"], key=lambda layer: -layer["cycles"]["value"])[:3]
    text = ", ".join(f"{layer['name']} {100 * layer['cycles']['value'] / cycles:.1f} %" for layer in longest)
    about = f"From above: the inference, its layers, their functions, blocks of code. The longest layers: {text}."
    shapes = "".join(_rows(document, cycles))
    return picture("flame", 4 * (_HEIGHT + _GAP), "Modelled cycles by layer, function and block", about, shapes)


def _rows(document: Document, cycles: int) -> Iterator[str]:
    unit = document["unit"]
    yield _part(0, 0.0, 1.0, "whole", "inference", f"inference: {cycles:,} {unit}")
    x = 0.0
    for layer in document["layers"]:
        value = layer["cycles"]["value"]
        name = f"{layer['index']} {layer['name']}"
        title = f"{name}, {layer['kernel']}: {_figures(value, cycles, unit)}"
        yield _part(1, x, value / cycles, "layer", name, title, layer["index"])
        inner = x
        for function in layer["functions"]:
            value = function["cycles"]["value"]
            text = f"{function['name']} in {name}: {_figures(value, cycles, unit)}"
            yield _part(2, inner, value / cycles, "function", function["name"], text)
            at = inner
            for block in function["blocks"]:
                value = block["cycles"]["value"]
                text = f"{block['place']}, {block['count']:,} times: {_figures(value, cycles, unit)}"
                kind = "loop" if block["loops"] else "block"
                shown = f"↻ {block['place']}" if block["loops"] else block["place"]
                yield _part(3, at, value / cycles, kind, shown, text)
                at += value / cycles
            inner += function["cycles"]["value"] / cycles
        x += layer["cycles"]["value"] / cycles


def _figures(value: int, cycles: int, unit: str) -> str:
    return f"{value:,} {unit}, {100 * value / cycles:.1f} %"


def _part(row: int, x: float, width: float, kind: str, name: str, title: str, layer: int | None = None) -> str:
    if width < _LEAST_WIDTH:
        return ""
    y = row * (_HEIGHT + _GAP)
    shape = box(x, y, width, _HEIGHT, f"part {kind}", title=title, layer=layer)
    return shape + (label(x + 0.002, y + 4, width - 0.003, name) if width > _LEAST_LABELLED else "")
