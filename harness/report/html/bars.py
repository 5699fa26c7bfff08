"""Bars: a figure beside TFLM's, the time of each layer, and gauges of budgets and of the chip's memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.document import Document
from harness.report.html.svg import box, label_after, picture
from harness.report.html.svg import percent as percent_of
from harness.report.rows import number, percent, ratio
from harness.report.tflm import MARKS, layer_origin, origin_of, runtime_of

_LONGEST = 0.62
"""Share of the width of the longest bar; the rest is for its figure."""

_THICK = 12
"""Pixels."""

_SERIES = {"reference": ("reference", "TFLM reference"), "cmsis-nn": ("cmsis", "TFLM CMSIS-NN")}
"""TFLM's kernels -> (CSS class, name); others are shown under their own name."""


@dataclass(frozen=True)
class FigureBars:
    """A figure of tinyhil with TFLM's beside it.

    Attributes:
        name, value, unit: such as "Time", "26,915", "instructions".
        ratio: tinyhil's divided by each of TFLM's, in words; "" without a record.
        picture: the bars; empty without a record.
    """

    name: str
    value: str
    unit: str
    ratio: str
    picture: Markup


@dataclass(frozen=True)
class LayerBar:
    """A layer's time with TFLM's beside it."""

    index: int
    name: str
    value: str
    share: str
    picture: Markup


@dataclass(frozen=True)
class Gauge:
    """How much of a limit is used.

    Attributes:
        name: what is limited.
        text: the figures.
        also: what else the picture shows; "" for nothing.
        over: whether more is used than there is.
    """

    name: str
    text: str
    also: str
    over: bool
    share: float
    picture: Markup


def series(kernels: str, origin: str | None = None) -> tuple[str, str]:
    """(CSS class, name) of TFLM with these kernels; of figures that were not measured paler, with their mark."""
    kind, name = _SERIES.get(kernels, ("other", f"TFLM {kernels}"))
    mark = MARKS.get(origin or "")
    return (f"{kind} unmeasured", f"{name} {mark}") if mark else (kind, name)


def compare(run: Document, figure: str, name: str, value: int | None, unit: str) -> FigureBars:
    """A figure of the whole model ("total" or "arena") beside TFLM's."""
    known = [b for b in run["baselines"] if b[figure]]
    theirs = [(series(b["kernels"], origin_of(b, figure)), b[figure], b["ratio"][figure]) for b in known]
    shown = f"{number(value)}"
    if value is None or not theirs:
        return FigureBars(name, shown, unit, "", Markup())
    told = ", ".join(f"{ratio(part)} {title}" for (_, title), _, part in theirs)
    bars = [("ours", runtime_of(run), value), *((kind, title, other) for (kind, title), other, _ in theirs)]
    return FigureBars(name, shown, unit, told, value_bars(bars, f"{name}, {unit}", pitch=15, thick=11, named=True))


def layer_bars(run: Document) -> list[LayerBar]:
    """A bar per layer for tinyhil and one for each kernel set of TFLM, on one linear scale; empty without times."""
    sets = [b["kernels"] for b in run["baselines"] if b["per_layer"]]
    timed = [layer for layer in run["layers"] if layer.get("value") is not None]
    if len(timed) < len(run["layers"]):
        return []
    most = max([1, *(layer["value"] for layer in timed)])
    most = max([most, *(v for layer in timed for v in layer.get("tflm", {}).values() if v is not None)])
    found = []
    for layer in timed:
        theirs = ((series(name, layer_origin(layer, name)), layer.get("tflm", {}).get(name)) for name in sets)
        bars = [("ours", runtime_of(run), layer["value"])]
        bars += [(*shown, value) for shown, value in theirs if value is not None]
        drawn = value_bars(bars, f"{layer['name']}, {run['time']['unit']}", pitch=10.5, thick=8, most=most)
        found.append(
            LayerBar(layer["index"], layer["name"], number(layer["value"]), percent(layer["share"]), drawn)
        )
    return found


def budgets(run: Document) -> list[Gauge]:
    """A gauge for each budget of the card that was measured, the fullest first."""
    found = []
    for check in run["verdict"]["checks"]:
        figures = check["figures"]
        if "measured" in figures and "limit" in figures:
            unit = str(figures.get("unit", "")).replace("bytes", "B")
            found.append(gauge(check["name"], figures["measured"], figures["limit"], unit))
    return sorted(found, key=lambda one: -one.share)


def chip(run: Document) -> list[Gauge]:
    """Flash and RAM of the chip: what the network takes, and beside it the test harness."""
    network = {"flash": run["memory"]["flash"], "ram": _ram(run)}
    used = run["image"]["regions"]
    found = []
    for kind, name in (("ram", "RAM"), ("flash", "Flash")):
        regions = [region for region in run["board"]["memory"] if region["kind"] == kind]
        size, all_used = sum(r["size"] for r in regions), sum(used.get(r["name"], 0) for r in regions)
        if size and all_used:
            own = min(network[kind] or 0, all_used)
            found.append(gauge(name, own, size, "B", all_used - own))
    return found


def regions(run: Document) -> list[Gauge]:
    """Each memory region of the chip that is used, where there is more than one of a kind."""
    used = run["image"]["regions"]
    placement = run["image"]["placement"] or {}
    found = []
    for region in run["board"]["memory"] if len(run["board"]["memory"]) > 2 else ():
        if used.get(region["name"]):
            held = ", ".join(part for part, where in placement.items() if where == region["name"])
            name = f"{region['name']} ({held})" if held else region["name"]
            found.append(gauge(name, used[region["name"]], region["size"], "B with the test harness"))
    return found


def _ram(run: Document) -> int | None:
    arena, stack = run["memory"]["arena_measured"], run["memory"]["stack_measured"]
    return None if arena is None else arena + run["memory"].get("scratch", 0) + (stack or 0)


def gauge(name: str, used: float, limit: float, unit: str, harness: float = 0) -> Gauge:
    """A gauge; `harness` are bytes that the test harness takes beside what is told."""
    parts = [(used, "ours"), (harness, "harness")]
    also = f" + test harness {harness:,}" if harness else ""
    share = used / limit if limit else float(used > 0)
    text = f"{used:,} of {limit:,} {unit}".rstrip() + f" ({share:.1%})"
    if used > limit:
        text = f"{used:,} {unit}, {used - limit:,} over {limit:,}"
    most = max(used, limit) or 1
    shapes, x = [box(0, 0, 1, _THICK, "free")], 0.0
    for value, kind in parts:
        shapes.append(box(x, 0, max(value / most, 0.004 if value else 0), _THICK, kind))
        x += value / most
    if used > limit:
        at = percent_of(limit / most)
        shapes.append(box(limit / most, 0, 1 - limit / most, _THICK, "excess"))
        shapes.append(f'<line x1="{at}" x2="{at}" y1="0" y2="{_THICK}" class="limit"/>')
    drawn = picture("gauge", _THICK, name, f"{text}{also}", "".join(shapes))
    return Gauge(name, text, also, used > limit, share, drawn)


def value_bars(
    bars: Sequence[tuple[str, str, float]],
    title: str,
    *,
    pitch: float,
    thick: float,
    most: float | None = None,
    named: bool = False,
) -> Markup:
    """Bars of (CSS class, name, value) under each other; `named`: the first with its name, too."""
    scale = _LONGEST / (most or max([1, *(value for _, _, value in bars)]))
    told = "; ".join(f"{name} {value:,}" for _, name, value in bars)
    return picture("bars", pitch * len(bars), title, told, "".join(_drawn(bars, scale, pitch, thick, named)))


def _drawn(
    bars: Sequence[tuple[str, str, float]], scale: float, pitch: float, thick: float, named: bool
) -> Iterable[str]:
    for place, (kind, name, value) in enumerate(bars):
        y = place * pitch
        yield box(0, y + 1, max(value * scale, 0.004), thick, kind)
        if named or place:
            yield label_after(max(value * scale, 0.004), y + thick, f"{name.removeprefix('TFLM ')} {value:,}")
