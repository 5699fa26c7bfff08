"""Trend lines: a figure over the runs of a model on a board, with the revisions at which it changed.

A line has at most _POINTS corners, whatever the number of runs: where a figure stays as it is, only the ends of each
level are drawn, and of a noisy one the least and the largest of each stretch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.history.records import FigureKey, Number
from harness.history.series import METRICS, RunHead, SubjectSeries
from harness.history.words import amount, counted, day, short, title
from harness.report.html.svg import label_end, percent, picture, words

_POINTS = 160
_PLOT, _TOP, _FOOT = 84, 6, 18
_LABELLED, _APART = 4, 0.2
"""Changes with a revision beside them, and how far these are apart at least, as a share of the width."""
_DOTS = 24
_ALWAYS = ("time", "arena")

Point = tuple[int, Number]
"""(place among the runs, value)."""


@dataclass(frozen=True)
class Trend:
    """A figure over time.

    Attributes:
        name: what it is.
        now: the newest value with its unit.
        moved: by how much it moved since the first run that is shown.
        picture: the line.
    """

    name: str
    now: str
    moved: str
    picture: Markup


def trends(
    series: SubjectSeries,
    limits: dict[str, float],
    layers: Mapping[tuple[FigureKey, str], Sequence[Number | None]],
    *,
    brief: bool = False,
) -> list[Trend]:
    """The figures of a subject over time.

    Args:
        series: its runs.
        limits: budgets by metric, which are drawn where they are near.
        layers: by (figure, layer) a value for each run.
        brief: leave out what never changed, but for time and arena.
    """
    found = []
    for (figure, layer), values in layers.items():
        points = [(place, value) for place, value in enumerate(values) if value is not None]
        if points:
            found.append(_trend(figure, points, series.runs, None, layer))
    for metric in METRICS:
        for figure, values in series.values.items():
            points = [(place, value) for place, value in enumerate(values) if value is not None]
            moved = len({value for _, value in points}) > 1
            if figure.metric == metric and points and (moved or not brief or metric in _ALWAYS):
                found.append(_trend(figure, points, series.runs, limits.get(metric)))
    return found


def sparkline(series: SubjectSeries) -> Markup:
    """The first figure of a subject over time, small and without words; empty where there is none."""
    for metric in METRICS:
        for figure, values in series.values.items():
            points = [(place, value) for place, value in enumerate(values) if value is not None]
            if figure.metric == metric and len(points) > 1:
                low, high = _range([value for _, value in points])
                line = _line(thinned(points, _POINTS // 4), len(series.runs), low, high, 18)
                first, last = (amount(points[at][1], figure.unit) for at in (0, -1))
                about = f"{title(figure, '')}: {first} to {last}"
                return picture("spark", 22, about, "", line)
    return Markup()


def _trend(
    figure: FigureKey, points: list[Point], runs: Sequence[RunHead], limit: float | None, layer: str = ""
) -> Trend:
    values = [value for _, value in points]
    near = [limit] if limit is not None and min(values) * 0.5 <= limit <= max(values) * 2 else []
    low, high = _range([*values, *near])
    shapes = [_line(thinned(points, _POINTS), len(runs), low, high, _PLOT)]
    if near:
        y = _y(near[0], low, high)
        shapes.append(f'<line x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}" class="budget"/>')
        shapes.append(label_end(1, y - 4, f"budget {amount(int(near[0]), figure.unit)}", "soft"))
    shapes += _dots(figure, points, runs, low, high)
    shapes += _faults(runs)
    shapes += _footer(runs)
    name, first, last = title(figure, layer), values[0], values[-1]
    share = f" ({(last - first) / abs(first):+.2%})" if first and last != first else ""
    told = f"from {amount(first, figure.unit)} to {amount(last, figure.unit)}{share} over {counted(len(runs), 'run')}"
    drawn = picture("trend", _PLOT + _TOP + _FOOT, f"{name}, {figure.unit}", told, "".join(shapes))
    span = amount(first, figure.unit) if min(values) == max(values) else (
        f"{amount(min(values), figure.unit)} to {amount(max(values), figure.unit)}"
    )  # fmt: skip
    return Trend(name, amount(last, figure.unit), f"{span} over {counted(len(runs), 'run')}{share}", drawn)


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """At most about `most` points that draw the same line: ends of levels, then extremes of stretches."""
    kept = [
        point
        for place, point in enumerate(points)
        if place in (0, len(points) - 1) or not points[place - 1][1] == point[1] == points[place + 1][1]
    ]
    if len(kept) <= most:
        return kept
    found: list[Point] = [kept[0]]
    size = len(kept) / (most // 2)
    for part in range(most // 2):
        stretch = kept[int(part * size) : max(int((part + 1) * size), int(part * size) + 1)]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        found += sorted(ends - {found[-1]})
    return found if found[-1] == kept[-1] else [*found, kept[-1]]


def _line(points: Sequence[Point], runs: int, low: float, high: float, height: float) -> str:
    scale = 1000 / max(runs - 1, 1)
    corners = " ".join(f"{place * scale:.0f},{_y(value, low, high, height):.1f}" for place, value in points)
    return (
        f'<svg viewBox="0 0 1000 {height + _TOP:g}" preserveAspectRatio="none" width="100%" height="{height + _TOP:g}">'
        f'<polyline points="{corners}" class="line"/></svg>'
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    pad = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return low - pad, high + pad


def _y(value: float, low: float, high: float, height: float = _PLOT) -> float:
    return _TOP / 2 + height * (1 - (value - low) / (high - low))


def _x(place: int, runs: Sequence[RunHead]) -> float:
    return place / (len(runs) - 1) if len(runs) > 1 else 0.5


def _dots(figure: FigureKey, points: list[Point], runs: Sequence[RunHead], low: float, high: float) -> list[str]:
    """Runs at which the figure changed most, and the newest, with what is known of them; some with their revision."""
    steps = sorted(
        (place for place in range(1, len(points)) if points[place][1] != points[place - 1][1]),
        key=lambda place: -abs(points[place][1] - points[place - 1][1]),
    )
    labelled: list[float] = []
    found = []
    for rank, place in enumerate(dict.fromkeys([*steps[:_DOTS], len(points) - 1])):
        at, value = points[place]
        run, x, y = runs[at], _x(at, runs), _y(value, low, high)
        moved = "" if not place else f", {value - points[place - 1][1]:+,.6g} from the run before"
        told = f"run {run.number}, {day(run.at)}, {short(run.revision) or 'no revision'}: "
        kind = "dot bad" if run.judged == "regressed" or run.verdict == "fail" else "dot"
        found.append(
            f'<circle cx="{percent(x)}" cy="{y:.1f}" r="3.5" class="{kind}"><title>'
            f"{words(told + amount(value, figure.unit) + moved)}</title></circle>"
        )
        if rank < _LABELLED and run.revision and place in steps and all(abs(x - other) > _APART for other in labelled):
            labelled.append(x)
            found.append(_beside(x, y, short(run.revision)))
    return found


def _beside(x: float, y: float, text: str) -> str:
    """A word beside a point, on the side where there is room."""
    end, dx = (' class="end"', -6) if x > 0.5 else ("", 6)
    return f'<text x="{percent(x)}" y="{max(y - 5, 10):.1f}" dx="{dx}"{end}>{words(text)}</text>'


def _faults(runs: Sequence[RunHead]) -> list[str]:
    """Marks of runs that an error ended, the last few."""
    lost = [place for place, run in enumerate(runs) if run.verdict == "error"][-_DOTS:]
    return [
        f'<line x1="{percent(_x(place, runs))}" x2="{percent(_x(place, runs))}" y1="{_PLOT - 6}" y2="{_PLOT + 4}" '
        f'class="lost"><title>{words(f"run {runs[place].number}, {day(runs[place].at)}: error")}</title></line>'
        for place in lost
    ]


def _footer(runs: Sequence[RunHead]) -> list[str]:
    """The first and the last run: day and revision."""
    y = _PLOT + _TOP + _FOOT - 4
    first, last = (f"{day(run.at)[:10]} {short(run.revision)}".strip() for run in (runs[0], runs[-1]))
    found = [label_end(1, y, last, "soft")]
    if len(runs) > 1:
        found.append(f'<text x="0" y="{y}" class="soft">{words(first)}</text>')
    return found
