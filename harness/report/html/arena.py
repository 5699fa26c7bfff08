"""The arena over time: layers downwards, bytes from left to right, each buffer with its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.document import Document
from harness.report.html.svg import ROW, box, label, picture

_LEAST_LABELLED = 0.12
"""Share of the width below which a buffer is too narrow for its name."""

_LONGEST_NAME = 24
"""Characters of a tensor's name up to which it is shown in the picture."""

_STANDALONE = """<style>text { fill: #1f2937; font: 11px system-ui, sans-serif; }
.free { fill: #f1f5f9; } .tensor { fill: #93c5fd; } .state { fill: #d8b4fe; } .scratch { fill: #cbd5e1; }
.buffer { fill-opacity: .75; stroke: #1f2937; stroke-opacity: .6; } .scratch { stroke-dasharray: 3 2; }
.peak { fill: none; stroke: #b91c1c; stroke-dasharray: 6 3; }</style><rect width="100%" height="100%" fill="#fff"/>"""
"""Style and background that a picture in the report has from its page."""

_KINDS = {"tensor": "tensor", "state": "state", "scratch": "scratch"}


@dataclass(frozen=True)
class Buffer:
    """Bytes of the arena with all names that they have; first and last are layers, the input comes before layer 0."""

    names: tuple[str, ...]
    kind: str
    offset: int
    size: int
    first: int
    last: int

    @property
    def text(self) -> str:
        """All there is to say of it."""
        return (
            f"{' = '.join(self.names)}: {self.kind}, {self.size:,} bytes at {self.offset:,}, "
            f"layers {self.first} to {self.last}"
        )


def buffers(arena: Document) -> list[Buffer]:
    """The placements of an arena, the largest first; tensors that are the same bytes at the same time are one."""
    found: dict[tuple[int, int, int, int, str], list[str]] = {}
    for p in arena["placements"]:
        key = (p["offset"], p["size"], p["first_layer"], p["last_layer"], p["kind"])
        found.setdefault(key, []).append(str(p["name"]))
    made = [Buffer(tuple(names), kind, *place) for (*place, kind), names in found.items()]
    return sorted(made, key=lambda b: (-b.size, b.kind == "state"))


def arena_map(
    arena: Document,
    names: Sequence[str],
    *,
    first: int = -1,
    last: int | None = None,
    most: int | None = None,
    row: int = ROW,
) -> Markup:
    """The picture of the rows `first` to `last`; row -1 is the input, row `layers` the output.

    Args:
        arena: a document of harness.report.arena.arena_document.
        names: of the layers.
        first, last: the rows that are drawn; None for the last there is.
        most: bytes that the full width stands for, for several pictures in one scale; None for the arena's size.
        row: height of a layer in pixels.
    """
    layers, size = int(arena["layers"]), int(arena["size"])
    last = layers if last is None else last
    scale = 1 / (most or max(size, 1))
    height = (last - first + 1) * row
    shapes = [box(0, 0, size * scale, height, "free")]
    for buffer in buffers(arena):
        if buffer.last >= first and buffer.first <= last and buffer.size:
            rows = (max(buffer.first, first) - first, min(buffer.last, last) - first)
            shapes += _shapes(buffer, _label(buffer, names), rows, scale, row)
    worst = arena["worst_index"]
    if worst is not None and first <= worst <= last:
        shapes.append(box(0, (worst - first) * row + 0.5, size * scale, row - 1, "peak"))
    return picture("arena", height, f"Arena over time, {size:,} bytes", _described(arena), "".join(shapes))


def standalone(drawn: Markup, width: int = 640) -> str:
    """A picture of this module as an SVG file of its own, on white."""
    opening, rest = str(drawn).split(">", 1)
    opening = opening.replace('width="100%"', f'width="{width}" xmlns="http://www.w3.org/2000/svg"')
    return f"{opening}>{_STANDALONE}{rest}\n"


def _label(buffer: Buffer, layers: Sequence[str]) -> str:
    """A name that can be read in the picture: where the tensor's own is long, that of the layer that writes it."""
    if buffer.kind == "scratch":
        return "scratch"
    if len(buffer.names[0]) <= _LONGEST_NAME:
        return buffer.names[0]
    if buffer.first < 0:
        return "input"
    written = buffer.kind == "tensor" and buffer.first < len(layers)
    return layers[buffer.first] if written else f"…{buffer.names[0][1 - _LONGEST_NAME :]}"


def _shapes(buffer: Buffer, name: str, rows: tuple[int, int], scale: float, row: int) -> Iterable[str]:
    x, width, y = buffer.offset * scale, buffer.size * scale, rows[0] * row
    tall = (rows[1] - rows[0] + 1) * row
    yield box(x, y + 1, width, tall - 2, f"buffer {_KINDS[buffer.kind]}", title=buffer.text, layer=max(buffer.first, 0))
    if width < _LEAST_LABELLED:
        return
    if tall >= 2 * 15 + 4:
        yield label(x + 0.01, y + 3, width - 0.015, name)
        yield label(x + 0.01, y + 17, width - 0.015, f"{buffer.size:,} B", "soft")
    else:
        yield label(x + 0.01, y + 3, width - 0.015, f"{name} {buffer.size:,} B")


def fullest(arena: Document) -> str:
    """When most bytes of the arena are alive, in words; "" for a model without layers."""
    if arena["worst_index"] is None:
        return ""
    if arena["worst_index"] < 0:
        return "before the first layer"
    return f"at {arena['worst_layer']}" if arena["worst_index"] < arena["layers"] else "after the last layer"


def _described(arena: Document) -> str:
    when = f"; fullest {fullest(arena)}" if fullest(arena) else ""
    return f"{len(arena['placements'])} buffers over {arena['layers']} layers{when}"

