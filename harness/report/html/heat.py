"""Confusion matrices as heat maps: of few classes a table with shaded cells, of many a picture and the worst pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.report.html.network import LEVELS
from harness.report.html.svg import box, picture

_MOST_CELLS = 24
"""Classes up to which every cell is written as a number."""

_MOST_DRAWN = 4000
_SIDE = 480.0
_PAIRS = 12


@dataclass(frozen=True)
class Heat:
    """What is shown of a confusion matrix.

    Attributes:
        rows: of few classes, for each right class (recall, cells), a cell being (count, step of colour, whether right).
        drawn: of many classes, the picture.
        pairs: (right class, predicted class, count) of the most frequent mistakes.
        classes: how many there are.
        unshown: mistakes beyond `pairs`.
    """

    rows: tuple[tuple[str, tuple[tuple[int, int, bool], ...]], ...]
    drawn: Markup | None
    pairs: tuple[tuple[int, int, int], ...]
    classes: int
    unshown: int


def heat(matrix: Sequence[Sequence[int]]) -> Heat:
    """How a matrix is shown; its rows are the right classes."""
    wrong = [(count, i, j) for i, row in enumerate(matrix) for j, count in enumerate(row) if count and i != j]
    wrong.sort(key=lambda cell: (-cell[0], cell[1:]))
    pairs = tuple((i, j, count) for count, i, j in wrong[:_PAIRS])
    unshown = sum(count for count, _, _ in wrong[_PAIRS:])
    if len(matrix) > _MOST_CELLS:
        return Heat((), _drawn(matrix), pairs, len(matrix), unshown)
    rows = tuple(
        (
            f"{row[i] / sum(row):.0%}" if sum(row) else "-",
            tuple((count, _level(count, sum(row)), i == j) for j, count in enumerate(row)),
        )
        for i, row in enumerate(matrix)
    )
    return Heat(rows, None, pairs, len(matrix), unshown)


def _level(count: int, total: int) -> int:
    """A step of colour; a mistake of any number is seen."""
    return max(1, round(count / total * (LEVELS - 1))) if count else 0


def _drawn(matrix: Sequence[Sequence[int]]) -> Markup:
    cells = [(count, i, j) for i, row in enumerate(matrix) for j, count in enumerate(row) if count]
    cells.sort(key=lambda cell: -cell[0])
    side, tall = 1 / len(matrix), _SIDE / len(matrix)
    totals = [sum(row) for row in matrix]
    shapes = [box(0, 0, 1, _SIDE, "free")]
    for count, i, j in cells[:_MOST_DRAWN]:
        kind = f"{'right' if i == j else 'wrong'} h{_level(count, totals[i])}"
        shapes.append(box(j * side, i * tall, side, max(tall, 1), kind, title=f"{i} taken for {j}: {count:,}"))
    about = f"Right classes downwards, predicted ones from left to right; {len(matrix)} of each."
    return picture("heat", _SIDE, "Confusion matrix", about, "".join(shapes))
