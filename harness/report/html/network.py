"""The network as a picture: a box for each layer with kernel and shape, coloured by its share of the time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from markupsafe import Markup

from harness.report.document import Document
from harness.report.html.svg import ROW, box, label, label_end, picture
from harness.report.rows import number, percent

_BOX = 0.88
"""Share of the width that boxes take; the rest is for edges that skip layers."""

_INNER = 0.02
LEVELS = 6
"""Steps of colour, the last for the layer that takes the longest."""

_LANES, _LANE = 4, 8
"""Lanes beside the boxes, and pixels between them."""


def network(run: Document, *, first: int = -1, last: int | None = None) -> Markup:
    """The picture of the rows `first` to `last`; row -1 is the input, row `len(layers)` the output."""
    layers = run["layers"]
    last = len(layers) if last is None else last
    differing, level = differences(run), levels(layers)
    shapes = list(_edges(layers, first, last))
    for row in range(first, last + 1):
        y = (row - first) * ROW
        if row < 0 or row == len(layers):
            shapes += _end(run["model"]["inputs" if row < 0 else "outputs"], "input" if row < 0 else "output", y)
        else:
            shapes += _layer(layers[row], level[row], differing.get(row), y)
    title = f"Network, {len(layers)} layers" + (f", rows {first + 1} to {last + 1}" if first > -1 else "")
    return picture("network", (last - first + 1) * ROW, title, _described(layers), "".join(shapes))


def levels(layers: Sequence[Document]) -> list[int]:
    """The step of colour of each layer, by its share of the longest one's time; 0 without times."""
    longest = max((layer.get("share") or 0 for layer in layers), default=0)
    return [round((layer.get("share") or 0) / longest * (LEVELS - 1)) if longest else 0 for layer in layers]


def differences(run: Document) -> dict[int, float | str]:
    """Layer -> largest difference from the reference in LSB, of layers that differ."""
    found: dict[int, float | str] = {}
    for diff in run["verdict"]["layers_differing"]:
        known = found.get(diff["layer"], 0)
        found[diff["layer"]] = max(known, diff["max_lsb"], key=float)
    return found


def operators(layer: Document) -> str:
    """The operators that a layer computes; those of a streamed group with their number."""
    names = [layer["op"], *layer["fused"]]
    counted = [(name, len(list(same))) for name, same in groupby(names)]
    text = " + ".join(name if count == 1 else f"{count} {name}" for name, count in counted)
    return f"{layer['hidden'] + 1} streamed: {text}" if layer["hidden"] else text


def shape(tensor: Document) -> str:
    """A tensor's shape, such as 1x8x8x12."""
    return "×".join(map(str, tensor["shape"])) or "scalar"


def _layer(layer: Document, level: int, differs: float | str | None, y: float) -> Iterable[str]:
    kind = f"node h{level}" + (" streamed" if layer["hidden"] else "") + (" differs" if differs is not None else "")
    what, out = operators(layer), ", ".join(map(shape, layer["outputs"]))
    time = f", {number(layer['value'])}, {percent(layer['share'])}" if layer.get("value") is not None else ""
    title = f"{layer['index']} {layer['name']}: {what}, kernel {layer['kernel']}, output {out}, {layer['macs']:,} MACs"
    if layer["hidden"]:
        # A box behind it: operators whose outputs never exist as a whole.
        yield box(0.012, y + 6, _BOX - 0.012, ROW - 8, "node behind")
        yield box(0, y + 2, _BOX - 0.012, ROW - 8, kind, title=title + time, layer=layer["index"])
    else:
        yield box(0, y + 2, _BOX, ROW - 6, kind, title=title + time, layer=layer["index"])
    note = f"≠ {differs} LSB" if differs is not None else percent(layer["share"]) if time else ""
    yield label(_INNER, y + 6, 0.66, f"{layer['index']} · {what}", "strong")
    yield label_end(_BOX - 2 * _INNER, y + 17, note, "strong")
    yield label(_INNER, y + 23, 0.6, layer["kernel"])
    yield label_end(_BOX - 2 * _INNER, y + 34, out)


def _end(tensors: Sequence[Document], what: str, y: float) -> Iterable[str]:
    """The box of the model's inputs or outputs."""
    yield box(0, y + 2, _BOX, ROW - 6, "node end")
    text = ", ".join(t["name"] for t in tensors)
    yield label(_INNER, y + 6, 0.84, f"{what}{'s' if len(tensors) > 1 else ''}: {text}", "strong")
    yield label(_INNER, y + 23, 0.84, ", ".join(f"{t['dtype']} {shape(t)}" for t in tensors))


def _edges(layers: Sequence[Document], first: int, last: int) -> Iterable[str]:
    """Lines from each layer to those that read it: down to the next, beside the boxes over others."""
    reads: dict[int, list[int]] = {row: list(layer["reads_from"]) for row, layer in enumerate(layers)}
    read = {source for sources in reads.values() for source in sources}
    # Outputs of the model are what nothing else reads, and what the last layer makes.
    reads[len(layers)] = [row for row in range(len(layers)) if row not in read or row == len(layers) - 1]
    busy: list[int] = []  # lane -> the row in which it is free again
    beside = []
    for row in range(len(layers) + 1):
        for source in reads[row]:
            if source == row - 1:
                if first < row <= last:
                    y = (row - first) * ROW
                    yield f'<line x1="44%" x2="44%" y1="{y - 4:g}" y2="{y + 2:g}" class="edge"/>'
            else:
                beside.append((source, row))
    for source, row in sorted(beside, key=lambda edge: (edge[0], edge[1] - edge[0])):
        lane = next((i for i, free in enumerate(busy) if free <= source), len(busy))
        busy[lane : lane + 1] = [row]
        if source <= last and row >= first:
            yield _beside(source - first, row - first, last - first + 1, lane % _LANES)


def _beside(source: int, row: int, rows: int, lane: int) -> str:
    """An edge that leaves row `source` on the right and comes back in `row`; rows outside the picture are cut."""
    x = 6 + lane * _LANE
    top, bottom = source * ROW + 30, row * ROW + 13
    leave = f"M0 {top:g}h{x}" if source >= 0 else f"M{x} 0"
    enter = f"V{bottom:g}h{1 - x}m5 -4l-5 4l5 4" if row < rows else f"V{rows * ROW:g}"
    return f'<svg x="88%" y="0" class="lane"><path d="{leave}{enter}" class="edge"/></svg>'


def _described(layers: Sequence[Document]) -> str:
    timed = [layer for layer in layers if layer.get("share")]
    if not timed:
        return "Boxes are layers in the order in which they run, with operator, kernel and shape of the output."
    slowest = sorted(timed, key=lambda layer: -layer["share"])[:3]
    text = ", ".join(f"{layer['index']} {layer['name']} ({percent(layer['share'])})" for layer in slowest)
    return f"Boxes are layers in the order in which they run, darker the longer they take; the longest: {text}."
