"""Inline SVG pictures: the arena over the layers, and each layer's time beside TFLM's."""

from __future__ import annotations

from html import escape

from harness.report.document import Document

_WIDTH = 960.0
_HEIGHT = 260.0
"""Height of an arena's map in pixels."""

_STANDALONE = """<style>text { fill: #1f2937; font: 11px system-ui, sans-serif; } .axis { stroke: #1f2937; }
.tensor { fill: #2563eb; } .state { fill: #9333ea; } .scratch { fill: #64748b; }
.box { fill-opacity: .35; stroke: #1f2937; stroke-opacity: .5; stroke-width: .5; }</style>
<rect width="100%" height="100%" fill="#fff"/>"""
"""Style and background that inline pictures have from their page."""


def arena_map(arena: Document, *, most: int | None = None) -> str:
    """Rectangles over layers (left to right) and addresses (bottom to top); names appear on hovering.

    Args:
        arena: a document of harness.report.arena.arena_document.
        most: bytes that the full height stands for, for several pictures in one scale; None for the arena's size.
    """
    layers, size = int(arena["layers"]), int(arena["size"])
    left, top = 70.0, 10.0
    height = _HEIGHT * size / (most or size)
    step = (_WIDTH - left - 10) / (layers + 2)
    shapes = []
    for place in sorted(arena["placements"], key=lambda p: (-int(p["size"]), p["kind"] == "state")):
        first, last = max(place["first_layer"], -1), min(place["last_layer"], layers)
        x, width = left + (first + 1) * step, (last - first + 1) * step
        tall = height * place["size"] / size
        y = top + height - height * place["offset"] / size - tall
        text = (
            f"{place['name']}: {place['size']:,} bytes at {place['offset']:,}, "
            f"layers {place['first_layer']} to {place['last_layer']}"
        )
        shapes.append(
            f'<rect class="box {escape(place["kind"])}" x="{x:.1f}" y="{y:.2f}" width="{width:.1f}" '
            f'height="{max(tall, 0.8):.2f}"><title>{escape(text)}</title></rect>'
        )
        label = f"{place['size']:,}"
        if tall > 14 and width > 7 * len(label):
            shapes.append(_text(x + 4, y + 12, label, "start"))
    axis = [
        f'<line class="axis" x1="{left}" y1="{top}" x2="{left}" y2="{top + height}"/>',
        f'<line class="axis" x1="{left}" y1="{top + height}" x2="{_WIDTH - 10}" y2="{top + height}"/>',
        _text(left - 6, top + 10, f"{size:,}", "end"),
        _text(left - 6, top + height, "0", "end"),
        _text(left, top + height + 16, "input", "start"),
        _text(_WIDTH - 10, top + height + 16, "output", "end"),
        _text((left + _WIDTH) / 2, top + height + 16, f"{layers} layers; bytes of the arena upwards", "middle"),
        *_legend(top + height + 34, left, [("tensor", "tensors"), ("state", "states"), ("scratch", "scratch")]),
    ]
    return _svg(top + height + 44, "Arena over time", [*shapes, *axis])


def standalone(picture: str) -> str:
    """A picture of this module as an SVG file of its own, on white."""
    opening, rest = picture.split(">", 1)
    return f'{opening} xmlns="http://www.w3.org/2000/svg">{_STANDALONE}{rest}\n'


def layer_bars(run: Document) -> str:
    """A bar per layer for tinyhil and one for each kernel set of TFLM, on one linear scale."""
    kernel_sets = [b["kernels"] for b in run["baselines"] if b["per_layer"]]
    layers = [layer for layer in run["layers"] if layer.get("value") is not None]
    series = [("ours", "tinyhil"), *((k, f"TFLM {k}") for k in kernel_sets)]
    most = max([1, *(v for layer in layers for v in _values(layer, kernel_sets) if v is not None)])
    left, thick, gap = 190.0, 11.0, 8.0
    scale = (_WIDTH - left - 110) / most
    shapes, y = _legend(14, left, series), 28.0
    for layer in layers:
        shapes.append(_text(left - 8, y + thick - 1, f"{layer['index']} {layer['name']}", "end"))
        for (kind, title), value in zip(series, _values(layer, kernel_sets), strict=True):
            if value is None:
                continue
            text = f"{layer['name']}, {title}: {value:,} {run['time']['unit']}"
            shapes.append(
                f'<rect class="{escape(kind)}" x="{left}" y="{y:.1f}" width="{max(value * scale, 0.5):.1f}" '
                f'height="{thick}"><title>{escape(text)}</title></rect>'
            )
            shapes.append(_text(left + value * scale + 5, y + thick - 1, f"{value:,}", "start"))
            y += thick + 1
        y += gap
    return _svg(y, f"Layers, {run['time']['unit']}", shapes)


def _values(layer: Document, kernel_sets: list[str]) -> list[int | None]:
    return [layer["value"], *(layer.get("tflm", {}).get(kernels) for kernels in kernel_sets)]


def _legend(y: float, x: float, series: list[tuple[str, str]]) -> list[str]:
    found = []
    for kind, title in series:
        found.append(f'<rect class="{escape(kind)}" x="{x:.0f}" y="{y - 9:.0f}" width="10" height="10"/>')
        found.append(_text(x + 15, y, title, "start"))
        x += 40 + 7 * len(title)
    return found


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, title: str, shapes: list[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" width="{_WIDTH:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(title)}">{"".join(shapes)}</svg>'
    )
