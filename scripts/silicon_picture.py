"""Writes docs/img/silicon.svg, published latencies against modelled ones, and the tables of both in docs/cycles.md.

    python scripts/silicon_picture.py

The same tables write the same: run it after a change to harness/data/cycles or fixtures/silicon.csv.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from harness.cycles.board_tables import board_table, error_of  # noqa: E402
from harness.cycles.kinds import LoadKind  # noqa: E402
from harness.cycles.tables import core_table  # noqa: E402
from tests.support.silicon import silicon_results  # noqa: E402

if TYPE_CHECKING:
    from tests.support.silicon import SiliconResult

PICTURE, PAGE = ROOT / "docs" / "img" / "silicon.svg", ROOT / "docs" / "cycles.md"
LEFT, RIGHT = (60, 340), (430, 820)
"""Pixels that the two panels lie between."""
TOP, BOTTOM = 30, 310
LOWEST, HIGHEST = 0.2, 120.0
"""Million cycles at the ends of the axes."""
MOST = 32.0
"""Per cent of error at the ends of the axis."""
COLOURS = {
    "nucleo-l4r5": "#1d4ed8",
    "nucleo-h7a3": "#b91c1c",
    "nucleo-f746": "#ea580c",
    "nucleo-u575": "#047857",
    "nucleo-u385": "#65a30d",
    "nucleo-g0b1": "#7c3aed",
    "cy8cproto-062-4343w": "#475569",
    "nrf5340dk": "#0891b2",
}
_STYLE = (
    "text { fill: #1f2937; font: 11px system-ui, sans-serif; } "
    ".end { text-anchor: end; } .mid { text-anchor: middle; } "
    ".axis { stroke: #94a3b8; } .line { stroke: #cbd5e1; } .even { stroke: #475569; stroke-dasharray: 4 3; } "
    "circle, path { fill-opacity: .6; }"
)


def picture(results: Sequence[SiliconResult]) -> str:
    """The plot as an SVG file: on the left published against modelled cycles, on the right the error."""
    shapes = [*_axes(), *(shape for result in results for shape in _marks(result)), *_legend(results)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{RIGHT[1] + 20}" height="{BOTTOM + 90}" role="img">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/><title>Published and modelled cycles of '
        f"{len(results)} MLPerf Tiny results</title>{''.join(shapes)}</svg>\n"
    )


def _across(cycles: float, panel: tuple[int, int]) -> float:
    share = math.log(cycles / 1e6 / LOWEST) / math.log(HIGHEST / LOWEST)
    return panel[0] + share * (panel[1] - panel[0])


def _up(cycles: float) -> float:
    return BOTTOM - math.log(cycles / 1e6 / LOWEST) / math.log(HIGHEST / LOWEST) * (BOTTOM - TOP)


def _error(percent: float) -> float:
    return (TOP + BOTTOM) / 2 - percent / MOST * (BOTTOM - TOP) / 2


def _axes() -> Iterator[str]:
    for panel in (LEFT, RIGHT):
        for ticks in (0.3, 1, 3, 10, 30, 100):
            x = _across(ticks * 1e6, panel)
            yield f'<line class="line" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}"/>'
            yield f'<text class="mid" x="{x:.1f}" y="{BOTTOM + 14}">{ticks:g}</text>'
        middle = (panel[0] + panel[1]) / 2
        yield f'<text class="mid" x="{middle:g}" y="{BOTTOM + 30}">published, million cycles</text>'
    for ticks in (0.3, 1, 3, 10, 30, 100):
        y = _up(ticks * 1e6)
        yield f'<line class="line" x1="{LEFT[0]}" x2="{LEFT[1]}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="end" x="{LEFT[0] - 4}" y="{y + 4:.1f}">{ticks:g}</text>'
    yield f'<line class="even" x1="{LEFT[0]}" x2="{LEFT[1]}" y1="{BOTTOM}" y2="{TOP}"/>'
    yield f'<text x="{LEFT[0]}" y="{TOP - 10}">modelled, million cycles</text>'
    for percent in (-30, -20, -10, 0, 10, 20, 30):
        y = _error(percent)
        kind = "axis" if percent else "even"
        yield f'<line class="{kind}" x1="{RIGHT[0]}" x2="{RIGHT[1]}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="end" x="{RIGHT[0] - 4}" y="{y + 4:.1f}">{percent:+d} %</text>'
    yield f'<text x="{RIGHT[0]}" y="{TOP - 10}">modelled / published - 1</text>'


def _marks(result: SiliconResult) -> Iterator[str]:
    for x, y in (
        (_across(result.published, LEFT), _up(result.modelled)),
        (_across(result.published, RIGHT), _error(100 * result.error)),
    ):
        yield _mark(x, y, result.kind, COLOURS[result.board], f"{name_of(result)}: {100 * result.error:+.1f} %")


def _mark(x: float, y: float, kind: LoadKind, colour: str, title: str = "") -> str:
    told = f"<title>{title}</title>" if title else ""
    if kind is LoadKind.INTEGER:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">{told}</circle>'
    if kind is LoadKind.STREAMED:
        return f'<path d="M{x - 4:.1f} {y - 4:.1f}h8v8h-8z" fill="{colour}">{told}</path>'
    return f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z" fill="{colour}">{told}</path>'


def _legend(results: Iterable[SiliconResult]) -> Iterator[str]:
    boards = [board for board in COLOURS if board in {result.board for result in results}]
    for number, board in enumerate(boards):
        x, y = LEFT[0] + 190 * (number % 4), BOTTOM + 48 + 16 * (number // 4)
        yield _mark(x, y, LoadKind.INTEGER, COLOURS[board]) + f'<text x="{x + 9}" y="{y + 4}">{board}</text>'
    for number, kind in enumerate(LoadKind):
        x, y = LEFT[0] + 190 * number, BOTTOM + 80
        yield _mark(x, y, kind, "#1f2937") + f'<text x="{x + 9}" y="{y + 4}">{kind.value}</text>'


def name_of(result: SiliconResult) -> str:
    """What a result is called: board, who submitted it, network."""
    what = " ".join(filter(None, (result.model, "float" if result.floats else "", result.variant)))
    return " ".join(filter(None, (result.board, result.flash, result.submitter, result.version, what)))


def by_kind(results: Sequence[SiliconResult]) -> str:
    """A table of errors by board and kind of load."""
    lines = ["| board | kind of load | results | mean | worst | stated |", "|---|---|---|---|---|---|"]
    for board in COLOURS:
        table = board_table(board)
        for kind in LoadKind:
            own = [result for result in results if (result.board, result.kind) == (board, kind)]
            if own and own[0].held:
                mean = sum(abs(result.error) for result in own) / len(own)
                worst = max((result.error for result in own), key=abs)
                stated = error_of(kind, core_table(table.core), table)
                said = f"±{100 * stated.error:.1f} %" + ("" if stated.validated else ", not validated")
                lines.append(f"| {board} | {kind} | {len(own)} | {100 * mean:.1f} % | {100 * worst:+.1f} % | {said} |")
    return "\n".join(lines)


def of_each(results: Sequence[SiliconResult]) -> str:
    """A table of all results."""
    lines = [
        "| result | kind | core | flash reads missed | published | modelled | error |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        lines.append(
            f"| {name_of(result)}{' (rebuilt)' if result.rebuilt else ''} | {result.kind} | {result.core / 1e6:.3f} | "
            f"{result.fetch + result.loads:,} | {result.published / 1e6:.3f} | {result.modelled / 1e6:.3f} | "
            f"{100 * result.error:+.1f} % |"
        )
    return "\n".join(lines)


def page(text: str, results: Sequence[SiliconResult]) -> str:
    """docs/cycles.md with its tables made anew."""
    for name, made in (("by kind", by_kind(results)), ("of each", of_each([r for r in results if r.held]))):
        begin, end = f"<!-- silicon {name}: scripts/silicon_picture.py -->\n", "\n<!-- end -->"
        pattern = re.escape(begin) + ".*?" + re.escape(end)
        text, found = re.subn(pattern, lambda _, b=begin, m=made, e=end: b + m + e, text, flags=re.DOTALL)  # type: ignore[misc]
        if found != 1:
            sys.exit(f"{PAGE}: no place for the table {name!r}")
    return text


def main() -> None:
    """Write the picture and the tables."""
    results = silicon_results()
    PICTURE.write_text(picture([result for result in results if result.held]), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    print(PICTURE, PAGE)


if __name__ == "__main__":
    main()
