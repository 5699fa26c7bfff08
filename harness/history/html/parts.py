"""Parts of the report of one model on one board: figures beside others', layers' bars, splits of memory, watermarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from harness.history.layers import pair_layers
from harness.history.records import FigureKey, Number, StoredRun
from harness.history.verdicts import Delta, SubjectComparison
from harness.history.words import amount, day, short
from harness.report.html.bars import FigureBars, Gauge, gauge, series, value_bars
from harness.report.table import ReportTable
from harness.units import Unit

_LAYERS, _BRIEF = 16, 4
_BYTES = Unit.BYTES.value


@dataclass(frozen=True)
class LayerTimes:
    """A layer's time now, before, and TFLM's."""

    name: str
    now: str
    change: str
    bad: bool
    picture: Markup


def main_figures(run: StoredRun, base: StoredRun | None) -> list[FigureBars]:
    """Time, arena and flash beside the base and TFLM."""
    found = []
    for metric, name in (("time", "Time"), ("arena", "Arena"), ("flash", "Flash")):
        for figure, value in run.figures.items():
            if figure.metric != metric:
                continue
            others = [("harness", "base", base.figures[figure])] if base and figure in base.figures else []
            others += [(*series(kernels), theirs) for kernels, theirs in _tflm(run, figure)]
            bars = [("ours", "now", value), *others]
            drawn = value_bars(bars, f"{name}, {figure.unit}", pitch=15, thick=11, named=True) if others else Markup()
            shown, _, unit = amount(value, figure.unit).partition(" ")
            found.append(FigureBars(name, shown, unit, _ratio(value, others), drawn))
    return found


def _ratio(value: Number, others: list[tuple[str, str, Number]]) -> str:
    theirs = [(name, other) for kind, name, other in others if kind != "harness" and other]
    return ", ".join(f"{value / other:.2f}x {name}" for name, other in theirs)


def _tflm(run: StoredRun, figure: FigureKey) -> Iterator[tuple[str, Number]]:
    """(kernels, value) of TFLM's records in the figure's unit."""
    key = {"time": "time", "arena": "arena"}.get(figure.metric, "")
    records: Mapping[str, Mapping[str, Any]] = run.facts.get("tflm", {})
    for kernels, record in records.items():
        if record.get(key) is not None and (figure.metric != "time" or record.get("unit") == figure.unit):
            yield kernels, record[key]


def layer_times(found: SubjectComparison, *, brief: bool = False) -> list[LayerTimes]:
    """The layers whose time changed, then the longest: now, at the base, and TFLM's; a few of them in brief."""
    if not found.cand or not found.cand[-1].layer_figures:
        return []
    run, base = found.cand[-1], found.base[-1] if found.base else None
    figure = next((f for f in run.layer_figures if f.metric == "time"), None)
    if figure is None:
        return []
    deltas: dict[str, Delta] = {d.layer: d for d in found.deltas if d.layer and d.figure == figure}
    before = _before(run, base, figure)
    names = run.layout.names
    lines = list(zip(run.layout.lines, run.layer_figures[figure], strict=True))
    order = sorted(
        range(len(lines)), key=lambda place: (names[place] not in deltas, -(lines[place][1] or 0), place)
    )[: _BRIEF if brief else max(_LAYERS, min(len(deltas), 2 * _LAYERS))]
    shown = [lines[place] for place in order]
    most = max([1, *(value or 0 for _, value in shown), *(value for line, _ in shown for value in line.tflm.values())])
    made = []
    for place, (line, value) in zip(order, shown, strict=True):
        if value is None:
            continue
        bars: list[tuple[str, str, Number]] = [("ours", "now", value)]
        if before.get(place) is not None:
            bars.append(("harness", "base", before[place]))
        bars += [(*series(kernels), theirs) for kernels, theirs in line.tflm.items()]
        drawn = value_bars(bars, f"{names[place]}, {figure.unit}", pitch=10.5, thick=8, most=most)
        delta = deltas.get(names[place])
        told = f"{delta.share:+.2%}, {delta.change.value}" if delta and delta.share is not None else ""
        made.append(LayerTimes(names[place], amount(value, figure.unit), told, delta is not None, drawn))
    return made


def _before(run: StoredRun, base: StoredRun | None, figure: FigureKey) -> dict[int, Number]:
    """By the layer's place, its value at the base."""
    if base is None or figure not in base.layer_figures:
        return {}
    pairs, values = pair_layers(base, run), base.layer_figures[figure]
    found = {place: values[at] for at, place in zip(pairs.base, pairs.cand, strict=True)}
    return {place: value for place, value in found.items() if value is not None}


def splits(run: StoredRun, base: StoredRun | None) -> list[FigureBars]:
    """What flash and RAM of the network are made of, beside the base."""
    kinds = (("flash.text", "Code"), ("flash.rodata", "Constants in flash"), ("ram.data", "Initialized RAM"),
             ("arena", "Arena"), ("stack", "Stack"))  # fmt: skip
    values = [(name, FigureKey(metric, _BYTES)) for metric, name in kinds]
    both = [run, base] if base else [run]
    most = max([1, *(one.figures.get(figure, 0) for one in both for _, figure in values)])
    found = []
    for name, figure in values:
        if figure not in run.figures:
            continue
        bars: list[tuple[str, str, Number]] = [("ours", "now", run.figures[figure])]
        if base and figure in base.figures:
            bars.append(("harness", "base", base.figures[figure]))
        drawn = value_bars(bars, f"{name}, bytes", pitch=10.5, thick=8, most=most)
        found.append(FigureBars(name, f"{run.figures[figure]:,}", "B", "", drawn))
    return found


def watermarks(run: StoredRun) -> list[Gauge]:
    """How much is used of budgets and of the chip's memory."""
    found = [
        gauge(name, limit["measured"], limit["limit"], str(limit.get("unit") or "").replace(_BYTES, "B"))
        for name, limit in run.facts.get("budgets", {}).items()
    ]
    for kind, name in (("ram", "RAM of the chip"), ("flash", "Flash of the chip")):
        chip = run.facts.get("chip", {}).get(kind)
        if chip and chip["used"]:
            found.append(gauge(name, chip["used"], chip["size"], "B with the test harness"))
    return sorted(found, key=lambda one: -one.share)


def limits(run: StoredRun) -> dict[str, float]:
    """Budgets by the metric that they limit."""
    metrics = {"arena": "arena", "flash": "flash", "stack": "stack"}
    return {metrics[name]: limit["limit"] for name, limit in run.facts.get("budgets", {}).items() if name in metrics}


_FACTS = (
    ("model_sha256", "model, SHA-256"), ("model_file", "model file"), ("core", "core"), ("backend", "backend"),
    ("clock_hz", "clock, Hz"), ("place", "board's place"), ("toolchain", "compiler"), ("tinyhil", "tinyhil"),
    ("oracle", "oracle"), ("vectors", "vectors, SHA-256"), ("build_id", "build"), ("image_sha256", "image, SHA-256"),
)  # fmt: skip


def facts(run: StoredRun, base: StoredRun | None) -> ReportTable:
    """Environment and hashes, now and at the base."""
    rows = [("run", _run_name(run), _run_name(base) if base else "-")]
    for key, name in _FACTS:
        now, before = (_fact(one, key) for one in (run, base))
        if now != "-" or before != "-":
            rows.append((name, now, before))
    return ReportTable("Environment and hashes", ("what", "now", "base"), tuple(rows))


def _fact(run: StoredRun | None, key: str) -> str:
    value = run.facts.get(key, "") if run else ""
    return f"{value:,}" if isinstance(value, int) else str(value) or "-"


def _run_name(run: StoredRun) -> str:
    parts = (f"run {run.number}" if run.number else "", day(run.at) if run.at else "", short(run.revision), run.session)
    return ", ".join(part for part in parts if part) or "given bundle"
