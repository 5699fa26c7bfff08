"""Reading FlatBuffers that may be damaged: every access is checked against the end of the file.

The official Python reader trusts its input: an offset outside the file raises struct.error, or reads a wrong place.
Here a table, vector or string that does not lie inside the file raises ModelFileError with the place. No read follows
more offsets than its caller asks for, so cycles in a damaged file cannot trap it. Source of the layout: FlatBuffers
documentation, "FlatBuffer Internals".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.errors import ModelFileError
from harness.ir.operators.tflite import damaged

# What a file may make of its bytes, since many tables may lie at one place: bytes of memory, about
_BASE_BUDGET = 16 << 20
_BUDGET_PER_BYTE = 64
_TABLE_COST = 1000
_NUMBER_COST = 32
_LETTER_COST = 4


@dataclass
class MemoryBudget:
    """The memory that reading a file may still take, counted over all its tables however often they are shared."""

    left: int

    def take(self, cost: int, place: str) -> None:
        """Takes from what is left; raises ModelFileError when it is used up."""
        self.left -= cost
        if self.left < 0:
            raise ModelFileError(
                f"{place}: the file's tables share their parts so often that it stands for far more than its size",
                hint="no converter writes such a file; convert the model again",
            )


@dataclass(frozen=True)
class FlatTable:
    """A FlatBuffers table at `pos` of `data`; `place` names it in errors.

    Fields are addressed by their vtable offset (4 for the first field, 6 for the second, ...), as in generated code. An
    absent field reads as its default. Methods raise ModelFileError when the field lies outside the file.
    """

    data: bytes
    pos: int
    place: str
    budget: MemoryBudget = field(default_factory=lambda: MemoryBudget(_BASE_BUDGET), compare=False, repr=False)

    @staticmethod
    def root(data: bytes, place: str) -> FlatTable:
        """The root table of a FlatBuffers file."""
        if len(data) < 8:
            raise damaged(f"{place}: {len(data)} bytes are too few for a FlatBuffers file")
        budget = MemoryBudget(_BASE_BUDGET + _BUDGET_PER_BYTE * len(data))
        return FlatTable(data, unpack("<I", data, 0, place), place, budget).checked()

    def checked(self) -> FlatTable:
        """This table; raises if its vtable does not lie inside the file."""
        vtable = self._vtable()
        size = unpack("<H", self.data, vtable, self.place)
        if size < 4 or vtable + size > len(self.data):
            raise damaged(f"{self.place}: vtable of {size} bytes at byte {vtable} leaves the file")
        if size % 2:  # TFLM reads half of a last field
            raise damaged(f"{self.place}: vtable at byte {vtable} has {size} bytes, half a field too many")
        return self

    def _vtable(self) -> int:
        return self.pos - unpack("<i", self.data, self.pos, self.place)

    def field(self, offset: int) -> int:
        """Position in bytes of a field in the file, 0 when it is absent."""
        vtable = self._vtable()
        if offset + 2 > unpack("<H", self.data, vtable, self.place):
            return 0
        relative = unpack("<H", self.data, vtable + offset, self.place)
        return self.pos + relative if relative else 0

    def scalar(self, offset: int, kind: str) -> int | float | None:
        """A number field, None when absent; kind is its struct format."""
        at = self.field(offset)
        if not at:
            return None
        value: int | float = unpack(kind, self.data, at, self.place)
        return value

    def integer(self, offset: int, kind: str = "<i", default: int = 0) -> int:
        """An integer field; kind is its struct format: <b, <B, <i, <I or <Q."""
        value = self.scalar(offset, kind)
        return default if value is None else int(value)

    def real(self, offset: int, default: float = 0.0) -> float:
        """A float32 field."""
        value = self.scalar(offset, "<f")
        return default if value is None else float(value)

    def flag(self, offset: int) -> bool:
        """A bool field."""
        return bool(self.integer(offset, "<B"))

    def _follow(self, at: int, what: str) -> int:
        target = at + unpack("<I", self.data, at, what)
        if target + 4 > len(self.data):
            raise damaged(f"{what}: offset at byte {at} leads out of the file")
        return int(target)

    def table(self, offset: int, place: str) -> FlatTable | None:
        """A table field, None when absent."""
        at = self.field(offset)
        return self._at(self._follow(at, place), place) if at else None

    def _at(self, pos: int, place: str) -> FlatTable:
        self.budget.take(_TABLE_COST + _LETTER_COST * len(place), place)
        return FlatTable(self.data, pos, place, self.budget).checked()

    def vector(self, offset: int, size: int, place: str) -> tuple[int, int]:
        """(position of the first element, count) of a vector of elements of `size` bytes; (0, 0) when absent."""
        at = self.field(offset)
        if not at:
            return 0, 0
        start = self._follow(at, place)
        count = unpack("<I", self.data, start, place)
        if start + 4 + count * size > len(self.data):
            raise damaged(f"{place}: {count} elements of {size} bytes at byte {start} leave the file")
        return start + 4, count

    def tables(self, offset: int, place: str, limit: int) -> tuple[FlatTable, ...]:
        """A vector of tables; more than `limit` of them is an error."""
        start, count = self.vector(offset, 4, f"{self.place}, {place}s")
        if count > limit:
            raise ModelFileError(
                f"{self.place}: {count} {place}s, more than the {limit} that tinyhil reads",
                hint="such a model is far beyond a microcontroller; if it is not, the file is damaged",
            )
        found = []
        for i in range(count):
            name = f"{self.place}, {place} {i}"
            found.append(self._at(self._follow(start + 4 * i, name), name))
        return tuple(found)

    def has(self, offset: int) -> bool:
        """Whether a field is there."""
        return self.field(offset) != 0

    def array(self, offset: int, dtype: str, place: str) -> npt.NDArray[np.generic]:
        """A vector of numbers as a read-only view of the file; empty when absent. dtype as in numpy, such as "<i4"."""
        kind = np.dtype(dtype)
        start, count = self.vector(offset, kind.itemsize, f"{self.place}, {place}")
        if kind.itemsize > 1:
            self.budget.take(_NUMBER_COST * count, self.place)
        return np.frombuffer(self.data, kind, count, start) if count else np.empty(0, kind)

    def integers(self, offset: int, place: str, limit: int, dtype: str = "<i4") -> tuple[int, ...]:
        """A vector of integers; more than `limit` of them is an error."""
        values = self.array(offset, dtype, place)
        if len(values) > limit:
            raise damaged(f"{self.place}: {len(values)} numbers in {place}, more than the {limit} that tinyhil reads")
        return tuple(int(v) for v in values)

    def text(self, offset: int, place: str) -> str:
        """A string field, cut after 1,000 bytes, bytes that are not UTF-8 replaced; "" when absent."""
        start, count = self.vector(offset, 1, f"{self.place}, {place}")
        count = min(count, 1000)
        self.budget.take(_LETTER_COST * count, self.place)
        return self.data[start : start + count].decode("utf-8", "replace")


def unpack(kind: str, data: bytes, at: int, place: str) -> int:
    """A little-endian number at byte `at`; `kind` is its struct format."""
    if at < 0 or at + struct.calcsize(kind) > len(data):
        raise damaged(f"{place}: byte {at} is outside the file of {len(data)} bytes")
    value: int = struct.unpack_from(kind, data, at)[0]
    return value
