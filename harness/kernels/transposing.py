"""Copies of single elements because rows become columns: TRANSPOSE, and what else moves so (Operator.moves)."""

from __future__ import annotations

from dataclasses import dataclass

from harness.ir.operators import names_that_move, operator_of
from harness.ir.operators.moves import Move
from harness.ir.operators.operator import ANY
from harness.kernels.base import Call, In, Kernel, Lowered, Out
from harness.kernels.context import Context
from harness.kernels.loops import DEPTH, NestLoop, merge, nest_fields, padded
from harness.kernels.mve_kernel import MVE
from harness.kernels.work import Work

_BYTES = "uint8_t"
TILE = 4
"""Bytes of a row that are exchanged at a time."""
EIGHT = 8
"""Elements of bytes or halves in a vector."""


@dataclass(frozen=True)
class Planes:
    """A move of planes whose rows become columns; steps are in bytes.

    Attributes:
        size: bytes of an element.
        rows: of a plane of the input, with the bytes from one to the next.
        columns: of it, with the bytes between their places in the output.
        outer: loops over planes.
        move: what is moved.
    """

    size: int
    rows: NestLoop
    columns: NestLoop
    outer: tuple[NestLoop, ...]
    move: Move

    @property
    def count(self) -> int:
        """Number of planes."""
        count = 1
        for loop in self.outer:
            count *= loop.count
        return count


def _planes(move: Move, size: int) -> Planes | None:
    """The planes of a move, or None where no loop reads one element after the other or none writes them so."""
    nest = merge([NestLoop(n, (read * size, write * size)) for n, read, write in move.loops], 2)
    reading = [loop for loop in nest if loop.steps[0] == size]
    writing = [loop for loop in nest if loop.steps[1] == size]
    if len(reading) != 1 or len(writing) != 1 or reading == writing:
        return None
    outer = tuple(loop for loop in nest if loop not in (reading[0], writing[0]))
    return Planes(size, writing[0], reading[0], outer, move) if len(outer) <= DEPTH else None


class MovesTransposed(Kernel):
    """Elements of one byte or two, a word of several rows at a time."""

    ops = names_that_move()
    types = ANY
    features = frozenset({"registers"})
    superseded_by = MVE
    function = "transposed_copy"
    sizes: tuple[int, ...] = (1, 2)

    def planes(self, context: Context) -> list[Planes] | None:
        """Of every move, or None where one has none."""
        node, moves = context.node, operator_of(context.node).moves
        assert moves is not None
        if operator_of(node).filler(context.graph, node) is not None:
            return None
        found = []
        for move in moves(context.graph, node):
            planes = _planes(move, context.output(move.target).dtype.size)
            if planes is None:
                return None
            found.append(planes)
        return found

    def takes_plane(self, planes: Planes) -> bool:
        """Whether planes are of a size that it copies faster than one by one."""
        tile = TILE // planes.size
        return planes.rows.count >= tile and planes.columns.count >= tile

    def applies(self, context: Context) -> bool:
        found = self.planes(context)
        return bool(found) and all(p.size in self.sizes and self.takes_plane(p) for p in found or ())

    def shape(self, planes: Planes) -> dict[str, int]:
        """Fields of a plane."""
        sizes = {"size": planes.size, "rows": planes.rows.count, "columns": planes.columns.count}
        return sizes | {"in_row": planes.rows.steps[0], "out_column": planes.columns.steps[1]}

    def lower(self, context: Context) -> Lowered:
        calls = []
        for planes in self.planes(context) or ():
            move, nest = planes.move, nest_fields(padded(planes.outer, DEPTH, 2, context.node.op))
            starts = {"in_offset": move.start * planes.size, "out_offset": move.to * planes.size}
            source, target = In(move.source, _BYTES), Out(move.target, _BYTES)
            calls.append(Call(self.function, (source, target), self.shape(planes) | starts | nest))
        return Lowered(self.function, tuple(calls))

    def work(self, context: Context) -> Work:
        loops = dict.fromkeys(("plane", "row", "tile", "half_tile", "rest"), 0.0)
        for planes in self.planes(context) or ():
            tile, count = TILE // planes.size, planes.count
            rows, columns = planes.rows.count // tile, planes.columns.count // tile
            name = "tile" if planes.size == 1 else "half_tile"
            loops["plane"] += count
            loops["row"] += count * rows
            loops[name] += count * rows * columns
            loops["rest"] += count * (planes.rows.count * planes.columns.count - rows * columns * tile * tile)
        return Work(loops)


class MovesTransposedMve(MovesTransposed):
    """Elements of one, two or four bytes: eight or four of a column are gathered at a time, or of a row scattered."""

    features = MVE
    superseded_by = frozenset()
    function = "transposed_copy_mve"
    sizes = (1, 2, 4)

    def takes_plane(self, planes: Planes) -> bool:
        lines = _lines(planes)
        return lines["count"] >= EIGHT // planes.size and (planes.size == 4 or 7 * lines["step"] < 1 << 16)

    def shape(self, planes: Planes) -> dict[str, int]:
        lines = {f"plane.{name}": value for name, value in _lines(planes).items()}
        return {"size": planes.size, "gathers": int(_gathers(planes))} | lines

    def work(self, context: Context) -> Work:
        loops = dict.fromkeys(("plane", "line", "eight", "four"), 0.0)
        for planes in self.planes(context) or ():
            lines = _lines(planes)
            loops["plane"] += planes.count
            loops["line"] += planes.count * lines["lines"]
            name, lanes = ("four", 4) if planes.size == 4 else ("eight", EIGHT)
            loops[name] += planes.count * lines["lines"] * -(-lines["count"] // lanes)
        return Work(loops)


def _gathers(planes: Planes) -> bool:
    """Whether columns are longer than rows."""
    return planes.rows.count >= planes.columns.count


def _lines(planes: Planes) -> dict[str, int]:
    """Columns of the input or its rows as lines_mve.h has lines."""
    rows, columns = planes.rows, planes.columns
    if _gathers(planes):
        sizes = (columns.count, rows.count, planes.size, columns.steps[1], rows.steps[0])
    else:
        sizes = (rows.count, columns.count, rows.steps[0], planes.size, columns.steps[1])
    return dict(zip(("lines", "count", "in_line", "out_line", "step"), sizes, strict=True))


KERNELS: tuple[Kernel, ...] = (MovesTransposed(), MovesTransposedMve())
