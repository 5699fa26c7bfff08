"""A model on an NPU as one HTML file: time by layer of NPU and CPU, and what moves over the ports, as pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.report.document import Document
from harness.report.html.svg import box, label, label_after, label_end, picture
from harness.report.html.templates import templates
from harness.report.npu import comparison, sweep, tables, words
from harness.report.rows import number, percent

KINDS = ("ifm", "ofm", "weights", "scales", "dma read", "dma write", "commands")
"""Kinds of traffic in the order in which bars have them; the CSS class is the name with a hyphen."""

_NPU, _CPU, _ALONE = "ours", "reference", "harness"
_LONGEST = 0.62
"""Share of the width of the longest bar; the rest is for its figure."""

_LEAST = 0.002
"""Share of the width that something is drawn with at least."""

_LEAST_LABELLED, _LEAST_BORDERED = 0.09, 0.005
_LANE, _THICK, _PITCH = 26, 12, 17
"""Heights in pixels: a lane of the timeline, a bar, and from bar to bar."""

_MOST_OPERATIONS = 1_500
"""Operations up to which each has a picture of its own."""


@dataclass(frozen=True)
class NpuBar:
    """A line of a list with a picture: what it is, its figure in words, and the bars."""

    name: str
    value: str
    picture: Markup


def render(document: Document) -> str:
    """The page of a run, with its comparison if it has one, or of a sweep."""
    made = _sweep(document) if document["kind"] == "npu-sweep" else _run(document)
    return str(templates().get_template("npu.html.j2").render(made)) + "\n"


def _run(document: Document) -> dict[str, Any]:
    npu, compared = document["npu"], document.get("comparison")
    simulated = npu is not None
    return {
        "title": f"{document['name']} on {document['accelerator']}",
        "word": _word(document),
        "headline": _headline(document),
        "about": words.title(document),
        "key": list(key_figures(document)),
        "facts": list(words.summary(document)),
        "whole": whole(document),
        "timeline": timeline(document) if document["timeline"] else "",
        "times": list(times(document)) if simulated else [],
        "kinds": tables.kinds(document) if simulated else None,
        "traffic": list(traffic_by_layer(document)) if simulated else [],
        "operations": list(traffic_by_operation(document)) if simulated else [],
        "used": [kind for kind in KINDS if simulated and any(one["kind"] == kind for one in npu["kinds"])],
        "layers": tables.layers(document, reasons=False),
        "fallback": tables.fallback(document),
        "points": None,
        "fastest": [],
        "compared": None if compared is None else [comparison.figures(compared), comparison.operators(compared)],
        "compared_lines": [] if compared is None else list(comparison.summary(compared)),
    }


def _sweep(document: Document) -> dict[str, Any]:
    return {
        "title": f"{document['name']} on NPUs",
        "word": "pass" if sweep.is_sound(document) else "fail",
        "headline": "; ".join(sweep.summary(document)),
        "about": f"{len(document['points'])} configurations",
        "key": [], "facts": [], "whole": "", "timeline": "", "times": [],
        "kinds": None, "traffic": [], "operations": [], "used": [],
        "layers": None,
        "fallback": None,
        "points": sweep.points(document),
        "fastest": list(fastest(document)),
        "compared": None, "compared_lines": [],
    }  # fmt: skip


def _word(document: Document) -> str:
    check = document["check"]
    if document["npu"] is None:
        return "not simulated"
    if check is None or not check["compared"]:
        return "not compared"
    return "pass" if words.is_sound(document) else "fail"


def _headline(document: Document) -> str:
    npu, alone, seconds = document["npu"], document["cpu_only"], document["seconds"]
    if npu is None:
        return "compiled, not simulated"
    told = f"{npu['cycles']['value']:,} modelled cycles of the NPU"
    if seconds is None:
        return f"{told}; what is left to the CPU is not known"
    told += f", {words.duration(seconds)} for an inference at {words.clock(document)}"
    if not alone["why_not"] and npu["operations"]:
        told += f", {alone['seconds'] / seconds:.1f} times as fast as the CPU alone"
    return told


def key_figures(document: Document) -> Iterator[tuple[str, str, str]]:
    """(name, figure, what stands beside it) of the few figures that decide."""
    npu, alone, used = document["npu"], document["cpu_only"], document["memory"]
    known = not alone["why_not"]
    if document["seconds"] is not None:
        beside = f"CPU alone {words.duration(alone['seconds'])}" if known else ""
        yield "Inference", words.duration(document["seconds"]), beside
    if npu is not None:
        waits = npu["with_waits"]
        told = f"; with waits {waits['value']:,}" if waits and waits["memories"] != npu["basis"] else ""
        yield "NPU", f"{npu['cycles']['value']:,} cycles", f"{npu['basis']}{told}"
        beats = npu["beats"]
        moved = [sum(beats[f"axi{port}_{direction}"] for direction in ("read", "write")) for port in (0, 1)]
        yield "Traffic", f"{sum(moved):,} beats", f"AXI0 {moved[0]:,}, AXI1 {moved[1]:,}, of {npu['beat_bytes']} B"
    left = document["cpu"]["operators"]
    yield "Left to the CPU", f"{len(left)} of {document['model']['operators']}", "operators"
    if used is not None:
        ram, flash = used["arena"] + used["fast"], used["constants"] + used["commands"] + used["cpu_constants"]
        yield "RAM", f"{ram:,} B", f"CPU alone {alone['arena']:,} B" if known else ""
        yield "Flash", f"{flash:,} B", f"CPU alone {alone['constants']:,} B" if known else ""


# --- time ------------------------------------------------------------------------------------------------------------


def whole(document: Document) -> Markup:
    """An inference with the NPU and on the CPU alone; empty where neither is known."""
    bars: list[tuple[str, list[tuple[str, float]]]] = []
    left = document["cpu"]["estimate"]
    if document["npu"] is not None and left is not None:
        bars.append(("with the NPU", [(_NPU, document["npu"]["seconds"]), (_CPU, left["seconds"])]))
    if not document["cpu_only"]["why_not"]:
        bars.append(("CPU alone", [(_ALONE, document["cpu_only"]["seconds"])]))
    if not bars:
        return Markup()
    most = max(sum(part for _, part in parts) for _, parts in bars) or 1
    shapes = []
    for place, (name, parts) in enumerate(bars):
        x, total = 0.0, sum(part for _, part in parts)
        for kind, value in parts:
            shapes.append(box(x, place * _PITCH + 1, value / most * _LONGEST, _THICK, kind))
            x += value / most * _LONGEST
        shapes.append(label_after(x, place * _PITCH + 11, f"{name}, {words.duration(total)}"))
    told = "; ".join(f"{name} {words.duration(sum(part for _, part in parts))}" for name, parts in bars)
    return picture("bars", _PITCH * len(bars), "Time of an inference", told, "".join(shapes))


def timeline(document: Document) -> Markup:
    """Who works when: a lane for the NPU and one for the CPU, time from left to right."""
    layers, parts = document["layers"], document["timeline"]
    total = sum(part["cycles"] or 0 for part in parts) or 1
    shapes = [box(0, 0, 1, _LANE, "free"), box(0, _LANE + 4, 1, _LANE, "free")]
    now = 0.0
    for part in parts:
        layer, cycles = layers[part["layer"]], part["cycles"] or 0
        width, y = cycles / total, 0 if part["where"] == "npu" else _LANE + 4
        name = _named(layer)
        kind = f"part {'layer' if part['where'] == 'npu' else 'loop'}{' thin' if width < _LEAST_BORDERED else ''}"
        told = f"{name}: {number(cycles)} cycles, {percent(width)}" if part["cycles"] is not None else f"{name}: ?"
        shapes.append(box(now, y, max(width, _LEAST), _LANE, kind, title=told))
        if width >= _LEAST_LABELLED:
            shapes.append(label(now + 0.006, y + 5, width - 0.008, name))
        now += width
    y = 2 * _LANE + 8
    shapes.append(label(0, y, 0.5, "above the NPU, below the CPU", "soft"))
    seconds = total / document["clock_hz"]
    shapes.append(label_end(1, y + 11, f"{words.duration(seconds)}, {number(total)} cycles"))
    on_cpu = sum(part["cycles"] or 0 for part in parts if part["where"] == "cpu")
    told = f"{percent(on_cpu / total)} of the time is the CPU's, the rest the NPU's; the table below has each layer"
    return picture("timeline", y + 16, "NPU and CPU over an inference", told, "".join(shapes))


def times(document: Document) -> Iterator[NpuBar]:
    """For each layer its time on the NPU or CPU, and what it takes on the CPU alone, on one scale."""
    rows = []
    for layer in document["layers"]:
        if layer["where"] == "folded":
            continue
        own = layer["cycles"] if layer["where"] == "npu" else layer["cpu"] and layer["cpu"]["cycles"]["value"]
        alone = layer["cpu_only"] and layer["cpu_only"]["cycles"]["value"]
        rows.append((layer, own, alone))
    most = max([1, *(value for _, own, alone in rows for value in (own, alone) if value is not None)])
    for layer, own, alone in rows:
        bars = [(_NPU if layer["where"] == "npu" else _CPU, layer["where"].upper(), own), (_ALONE, "CPU alone", alone)]
        shapes, y = [], 0.0
        for kind, name, value in bars:
            if value is None:
                continue
            width = max(value / most * _LONGEST, _LEAST)
            shapes += [box(0, y + 1, width, _THICK, kind), label_after(width, y + 11, f"{name} {number(value)}")]
            y += _PITCH
        value = "not known" if own is None else f"{number(own)} cycles"
        told = "; ".join(f"{name} {number(value)}" for _, name, value in bars if value is not None) or "not known"
        title = f"{_named(layer)}, modelled cycles"
        yield NpuBar(_named(layer), value, picture("bars", y, title, told, "".join(shapes)))


# --- traffic ---------------------------------------------------------------------------------------------------------


def traffic_by_layer(document: Document) -> Iterator[NpuBar]:
    """What each layer moves over the two ports, by kind."""
    rows = [(_named(layer), layer["kinds"]) for layer in document["layers"] if layer["kinds"]]
    yield from _traffic(rows)


def traffic_by_operation(document: Document) -> Iterator[NpuBar]:
    """The same for each operation of the command streams, where there are not too many."""
    rows = [
        (f"word {one['word']}, {one['name']}: {_named(layer)}", one["kinds"])
        for layer in document["layers"]
        for one in layer["operations"]
    ]
    if len(rows) <= _MOST_OPERATIONS:
        yield from _traffic(sorted(rows, key=lambda row: int(row[0].split(",")[0].removeprefix("word "))))


def _traffic(rows: Sequence[tuple[str, list[Document]]]) -> Iterator[NpuBar]:
    most = max([1, *(_sum(kinds, port) for _, kinds in rows for port in (0, 1))])
    for name, kinds in rows:
        shapes, told, y = [], [], 0
        for port in (0, 1):
            parts = [one for kind in KINDS for one in kinds if one["kind"] == kind and one["port"] == port]
            if not parts:
                continue
            x = 0.0
            for one in parts:
                width = one["beats"] / most * _LONGEST
                title = f"AXI{port} {one['kind']}: {one['beats']:,} beats"
                shapes.append(box(x, y + 1, max(width, _LEAST), _THICK, css_class(one["kind"]), title=title))
                told.append(title)
                x += width
            shapes.append(label_after(max(x, _LEAST), y + 11, f"AXI{port} {_sum(kinds, port):,}"))
            y += _PITCH
        total = sum(one["beats"] for one in kinds)
        yield NpuBar(name, f"{total:,} beats", picture("bars", y, f"{name}, beats", "; ".join(told), "".join(shapes)))


def css_class(kind: str) -> str:
    """The CSS class of a kind of traffic."""
    return kind.replace(" ", "-")


def _sum(kinds: Sequence[Document], port: int) -> int:
    return sum(one["beats"] for one in kinds if one["port"] == port)


def _named(layer: Document) -> str:
    return layer["operator"] if layer["number"] is None else f"{layer['number']} {layer['operator']}"


# --- sweep -----------------------------------------------------------------------------------------------------------


def fastest(document: Document) -> Iterator[NpuBar]:
    """The fastest point of each accelerator, on one scale."""
    best: dict[str, Document] = {}
    for point in document["points"]:
        if point.get("seconds") is not None:
            best.setdefault(point["accelerator"], point)
    most = max((point["seconds"] for point in best.values()), default=0) or 1
    for name, point in best.items():
        width = max(point["seconds"] / most * _LONGEST, _LEAST)
        text = words.duration(point["seconds"])
        shapes = box(0, 1, width, _THICK, _NPU) + label_after(width, 11, text)
        where = f"{point['system_config']}, {point['memory_mode']}, {point['optimise']}"
        yield NpuBar(name, where, picture("bars", _PITCH, f"{name}, time of an inference", text, shapes))


