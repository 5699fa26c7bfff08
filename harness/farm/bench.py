"""A bench: the boards of one host, as a file lists them.

name: bench-a
boards:
h743-1: {board: nucleo-h743, probe: 066CFF505750827567154312}
an386: {board: mps2-an386}
h743-2:
board: nucleo-h743
probe: 066CFF505750827567154399
power: {cls: NetworkPowerPort, params: {model: netio, host: 10.0.0.7, index: 2}}
tags: {rack: a}
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import FarmFileError
from harness.files.yaml_mapping import checked_entry, read_mapping

if TYPE_CHECKING:
    from harness.boards import Resolved

_MOST_PARTS, _MOST_LEVELS = 20_000, 20
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
_Value = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,62}$")]
OUR_TAGS = ("board", "state", "kind", "name")


class _BenchEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PowerPort(_BenchEntry):
    """A power port: the name of labgrid's resource, such as NetworkPowerPort, and its parameters."""

    cls: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,60}$")]
    params: dict[str, str | int | float | bool | None] = {}


class BenchBoard(_BenchEntry):
    """A board of a bench.

    Attributes:
        board: its entry in boards.yaml.
        probe: unique id of its debug probe; None where the entry is no real board, or its only probe is attached.
        power: switches its supply.
        tags: further tags that a lease can ask for.
    """

    board: Annotated[str, Field(min_length=1)]
    probe: str | None = None
    power: PowerPort | None = None
    tags: dict[_Key, _Value] = {}


class Bench(_BenchEntry):
    """The boards of a host."""

    name: _Name
    boards: Annotated[dict[_Name, BenchBoard], Field(min_length=1)]


def load_bench(path: Path) -> Bench:
    """Reads and checks a bench's file.

    Raises:
        FarmFileError: it cannot be read, or breaks the schema; the message names file and key.
        BoardConfigError: a board is in no boards.yaml.
    """
    from harness.boards import find_board, load_boards

    hint = "`tinyhil docs farm` shows one"
    content = read_mapping(
        path, FarmFileError, what="a bench's name and boards", hint=hint,
        most_parts=_MOST_PARTS, most_levels=_MOST_LEVELS,
    )  # fmt: skip
    bench = checked_entry(path, Bench, content, FarmFileError, hint)
    known = load_boards()
    for name, entry in bench.boards.items():
        find_board(entry.board, known)
        wrong = [tag for tag in entry.tags if tag in OUR_TAGS]
        if wrong:
            raise FarmFileError(f"{path}: boards.{name}.tags.{wrong[0]}: tinyhil sets this tag itself", hint=hint)
    return bench


def resolve_entry(entry: BenchBoard) -> Resolved:
    """The board that runs for an entry. Raises what harness.boards.resolve raises."""
    from harness.boards import resolve

    return resolve(entry.board, probe=entry.probe)
