"""Which operator of the original file a command comes from, from the database that `vela --enable-debug-db` writes.

Tables in CSV inside XML. `queue` has the byte of each operation's command in its stream, `optimised` and `source` lead
from it to the file. Source: DEBUG_DB.md of Vela 5.2.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from harness.errors import InputError
from harness.ethosu.disassembly import WORD

MOST_BYTES = 64 << 20
"""Of a database; one of 100 operators has 0.3 MB."""

_HINT = "write it again with vela --enable-debug-db"
_DECLARATIONS = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_KEYS = {
    "cmdstream": ("id",),
    "queue": ("offset", "cmdstream_id", "optimised_id"),
    "optimised": ("id", "source_id"),
    "source": ("id", "ext_key"),
}
"""Table -> its columns of numbers that are read."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class SourceOperator:
    """An operator of the file that Vela was given: its number there, and Vela's name of it."""

    number: int
    name: str


@dataclass(frozen=True)
class StreamSources:
    """Where the operations of one stream come from, in the order of the stream.

    Attributes:
        words: the last command of what Vela made of each operator, or of a part of it.
        operators: the operators.
    """

    words: tuple[int, ...]
    operators: tuple[SourceOperator, ...]

    def of(self, word: int) -> SourceOperator | None:
        """The operator that a command belongs to; None for what follows the last one."""
        at = bisect_left(self.words, word)
        return self.operators[at] if at < len(self.words) else None


def read_sources(text: str, place: str) -> tuple[StreamSources, ...]:
    """One record for each stream, in the order of Vela's numbers.

    Raises:
        InputError: it is no such database, or damaged.
    """
    tables = _tables(text, place)
    sources = {row["id"]: SourceOperator(int(row["ext_key"]), row["operator"]) for row in tables["source"]}
    optimised = {row["id"]: row["source_id"] for row in tables["optimised"]}
    found = []
    for stream in sorted((row["id"] for row in tables["cmdstream"]), key=int):
        rows = sorted(((int(row["offset"]), row) for row in _of(tables["queue"], stream)), key=lambda pair: pair[0])
        try:
            operators = tuple(sources[optimised[row["optimised_id"]]] for _, row in rows)
        except KeyError as missing:
            raise _damaged(place, f"no row {missing} where the queue leads") from None
        found.append(StreamSources(tuple(offset // WORD for offset, _ in rows), operators))
    return tuple(found)


def _of(queue: Sequence[Row], stream: str) -> list[Row]:
    return [row for row in queue if row["cmdstream_id"] == stream]


def _tables(text: str, place: str) -> dict[str, list[Row]]:
    if len(text) > MOST_BYTES:
        raise _damaged(place, f"{len(text)} bytes, more than the {MOST_BYTES} that are read")
    if _DECLARATIONS.search(text):
        raise _damaged(place, "it has declarations of its own")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise _damaged(place, str(error)) from None
    found = {node.get("name", ""): _rows(node.text or "", place) for node in root.iter("table")}
    for name, columns in _KEYS.items():
        if name not in found:
            raise _damaged(place, f"no table '{name}'")
        for row in found[name]:
            if not all((row.get(column) or "").isascii() and (row.get(column) or "").isdigit() for column in columns):
                raise _damaged(place, f"table '{name}' has the row {dict(row)}")
    return found


def _rows(text: str, place: str) -> list[Row]:
    try:
        return list(csv.DictReader(text.strip().splitlines(), strict=True))
    except csv.Error as error:
        raise _damaged(place, str(error)) from None


def _damaged(place: str, why: str) -> InputError:
    return InputError(f"{place}: not a debug database of Vela, or damaged: {why}", hint=_HINT)
