"""Tables as text, and how they are made narrower for a terminal: whole columns go, never parts of figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from harness.report.plain import one_line, plain
from harness.report.wrapping import wrap

GAP = 2
"""Blanks between columns."""

NARROWEST = 40
"""Columns of a terminal below which nothing is made to fit."""

_PROSE = (76, 28)  # a cell of prose: widest always, narrowest where lines must fit
_TEXT = (32, 24, 18, 14)  # a cell of other text at most, where lines must fit, one after the other


@dataclass(frozen=True)
class ReportTable:
    """A table as text. Columns in which no row has anything, or nothing but dashes, are left out.

    Attributes:
        right: columns aligned right: figures, which are never broken.
        notes: lines after the table.
        prose: columns whose cells may wrap.
        drop: columns that go where the table is too wide, the first of them first. After them go those at the right;
            the first column stays.
        attached: columns that go with the one at their left.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    prose: frozenset[str] = frozenset()
    drop: tuple[str, ...] = ()
    attached: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.rows:
            return
        kept = [i for i in range(len(self.columns)) if any(row[i] not in ("", "-") for row in self.rows)]
        object.__setattr__(self, "columns", tuple(self.columns[i] for i in kept))
        object.__setattr__(self, "rows", tuple(tuple(row[i] for i in kept) for row in self.rows))

    def plain(self, width: int | None = None) -> list[str]:
        """The table as lines of at most `width` columns; as wide as it is for None."""
        fitted = fit(self, width)
        head, *rows = fitted.cells
        lines = [line for row in (head, *rows) for line in fitted.lines(row)]
        notes = (one_line(note) for note in fitted.notes)
        return [*lines, *(line for note in notes for line in (wrap(note, width, "  ") if width else [note]))]


@dataclass(frozen=True)
class FittedTable:
    """A table laid out for a width.

    Attributes:
        cells: lines of each cell, by row; the first row is the head.
        right: whether each column is aligned right.
        notes: the table's, and which columns are left out.
        natural: width of the whole table.
    """

    cells: tuple[tuple[tuple[str, ...], ...], ...]
    right: tuple[bool, ...]
    notes: tuple[str, ...]
    natural: int

    @property
    def widths(self) -> list[int]:
        """Width of each column."""
        return [_widest(line for cell in column for line in cell) for column in zip(*self.cells, strict=True)]

    def lines(self, row: Sequence[Sequence[str]]) -> list[str]:
        """The lines of a row."""
        found = []
        for number in range(max((len(cell) for cell in row), default=0)):
            texts = []
            for cell, width, right in zip(row, self.widths, self.right, strict=True):
                text = cell[number] if number < len(cell) else ""
                blanks = " " * (width - cell_len(text))
                texts.append(blanks + text if right else text + blanks)
            found.append((" " * GAP).join(texts).rstrip())
        return found


def fit(content: ReportTable, width: int | None) -> FittedTable:
    """The table laid out for lines of at most `width` columns; None: as wide as it is."""
    everything = list(range(len(content.columns)))
    natural = _total(_layout(content, everything, None))
    limit = None if width is None else max(width, NARROWEST)
    if limit is None or natural <= limit:
        return _fitted(content, everything, _layout(content, everything, None), natural, None)
    named, others = _groups(content)
    for most in _TEXT:
        kept, fits = _fewer(content, named, most, limit)
        if fits:
            break
    else:
        kept, _ = _fewer(content, named + others, most, limit)
    return _fitted(content, kept, _layout(content, kept, most, limit), natural, limit)


def _fewer(content: ReportTable, groups: Sequence[list[int]], most: int, limit: int) -> tuple[list[int], bool]:
    """(the columns left where groups go until the table fits, whether it does)."""
    left_out: list[list[int]] = []

    def kept() -> list[int]:
        gone = {place for group in left_out for place in group}
        return [place for place in range(len(content.columns)) if place not in gone]

    def wide() -> bool:
        return _total(_layout(content, kept(), most)) > limit

    for group in groups:
        if wide():
            left_out.append(group)
    fits = not wide()
    for group in reversed(left_out.copy()):  # what went first may have room again
        left_out.remove(group)
        if wide():
            left_out.append(group)
    return kept(), fits


def _groups(content: ReportTable) -> tuple[list[list[int]], list[list[int]]]:
    """Columns in the order in which they go, each with those attached to it: those named, the others but the first."""
    groups: list[list[int]] = []
    for place, column in enumerate(content.columns):
        if place and column in content.attached:
            groups[-1].append(place)
        else:
            groups.append([place])
    named = [group for column in content.drop for group in groups if content.columns[group[0]] == column]
    return named, [group for group in reversed(groups[1:]) if group not in named]


def _layout(
    content: ReportTable, kept: Sequence[int], most: int | None, width: int | None = None
) -> list[list[list[str]]]:
    """Lines of each cell by column, the head first; text cells of at most `most` columns, None: of any width.

    With `width`, cells of prose take what the other columns leave of it.
    """
    prose = [place for place in kept if content.columns[place] in content.prose]
    room = _PROSE[0] if most is None else _PROSE[1]
    if width is not None and prose:
        others = _total(_layout(content, [place for place in kept if place not in prose], most))
        room = max(room, min((width - others) // len(prose) - GAP, _PROSE[0]))
    found = []
    for place in kept:
        column = content.columns[place]
        cells = [row[place] for row in content.rows]
        if place in prose:
            lines = [wrap(plain(cell), room) for cell in cells]
        elif column in content.right or most is None:
            lines = [[one_line(cell)] for cell in cells]
        else:
            lines = [wrap(one_line(cell), most) for cell in cells]
        head = [column]
        if most is not None:
            head = wrap(column, max(_widest(line for cell in lines for line in cell), _widest(column.split(" "))))
        found.append([head, *lines])
    return found


def _fitted(
    content: ReportTable, kept: Sequence[int], layout: list[list[list[str]]], natural: int, width: int | None
) -> FittedTable:
    columns = [(place, column) for place, column in enumerate(content.columns) if column not in content.attached]
    left_out = [column for place, column in columns if place not in kept]
    notes = content.notes
    if left_out:
        names = ", ".join(dict.fromkeys(left_out))
        notes = (*notes, f"left out, as {width} columns hold no more: {names}; COLUMNS={natural} or a file has all")
    cells = tuple(tuple(tuple(cell) for cell in row) for row in zip(*layout, strict=True))
    return FittedTable(cells, tuple(content.columns[place] in content.right for place in kept), notes, natural)


def _total(layout: Sequence[Sequence[Sequence[str]]]) -> int:
    widths = [_widest(line for cell in column for line in cell) for column in layout]
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _widest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)
