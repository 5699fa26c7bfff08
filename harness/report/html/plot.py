"""Plots of two figures: dots and curves of steps over axes from the least to the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.html.svg import label, label_end, percent, picture, words

_LEFT, _RIGHT = 0.09, 0.98
_TOP, _BOTTOM = 10, 30
"""Pixels above and below the plot."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Points of one kind.

    Attributes:
        name: of them.
        kind: CSS class: ours, reference, cmsis or other.
        points: (x, y).
        titles: what a pointer on a dot tells; () without.
        joined: a curve of steps instead of dots.
    """

    name: str
    kind: str
    points: tuple[Point, ...]
    titles: tuple[str, ...] = ()
    joined: bool = False


def plot(title: str, x_name: str, series: Sequence[Series], *, height: float = 260, share: bool = False) -> Markup:
    """A picture of the series; `share`: y is from 0 to 1."""
    points = [point for one in series for point in one.points]
    if not points:
        return Markup("")
    scale = _Scale.over(points, height, share)
    shapes = [_axes(scale, x_name)]
    for one in series:
        shapes.append(_steps(one, scale) if one.joined else _dots(one, scale))
    told = "; ".join(f"{one.name}: {len(one.points)} points" for one in series)
    return picture("plot", height, title, told, "".join(shapes))


@dataclass(frozen=True)
class _Scale:
    low: Point
    high: Point
    height: float

    @classmethod
    def over(cls, points: Sequence[Point], height: float, share: bool) -> _Scale:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        low, high = (0.0, 1.0) if share else (min(ys), max(ys))
        return cls((min(xs), low), (max(xs), high), height)

    def x(self, value: float) -> float:
        span = self.high[0] - self.low[0] or 1.0
        return _LEFT + (_RIGHT - _LEFT) * (value - self.low[0]) / span

    def y(self, value: float) -> float:
        span = self.high[1] - self.low[1] or 1.0
        return self.height - _BOTTOM - (self.height - _TOP - _BOTTOM) * (value - self.low[1]) / span


def _axes(scale: _Scale, x_name: str) -> str:
    bottom = scale.height - _BOTTOM
    lines = _line(_LEFT, bottom, _RIGHT, bottom, "axis") + _line(_LEFT, _TOP, _LEFT, bottom, "axis")
    ends = "".join(
        label_end(_LEFT - 0.01, scale.y(value) + 4, f"{value:.1%}", "soft") for value in (scale.low[1], scale.high[1])
    )
    low, high = (f"{value:,.0f}" for value in (scale.low[0], scale.high[0]))
    names = label(_LEFT, bottom + 4, 0.3, low, "soft") + label(0.4, bottom + 4, 0.4, x_name)
    return lines + ends + names + label_end(_RIGHT, bottom + 16, high, "soft")


def _dots(one: Series, scale: _Scale) -> str:
    found = []
    for number, (x, y) in enumerate(one.points):
        title = f"<title>{words(one.titles[number])}</title>" if number < len(one.titles) else ""
        place = f'cx="{percent(scale.x(x))}" cy="{scale.y(y):.1f}" r="4"'
        found.append(f'<circle {place} class="{one.kind}">{title}</circle>')
    return "".join(found)


def _steps(one: Series, scale: _Scale) -> str:
    found = []
    for (x0, y0), (x1, y1) in zip(one.points, one.points[1:], strict=False):
        found.append(_line(scale.x(x0), scale.y(y0), scale.x(x1), scale.y(y0), f"curve {one.kind}"))
        found.append(_line(scale.x(x1), scale.y(y0), scale.x(x1), scale.y(y1), f"curve {one.kind}"))
    return "".join(found)


def _line(x0: float, y0: float, x1: float, y1: float, kind: str) -> str:
    return f'<line x1="{percent(x0)}" y1="{y0:.1f}" x2="{percent(x1)}" y2="{y1:.1f}" class="{kind}"/>'
