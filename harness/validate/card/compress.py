"""What a card or an option says of compression."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from harness.compression.levels import LEVELS, CompressionLevel, level_of
from harness.errors import OptionError
from harness.validate.card.record import Record
from harness.validate.card.vectors import FileVectors, parse_vectors


def _level(value: str) -> str:
    if value not in LEVELS:
        raise ValueError(f"no level of compression; one of: {', '.join(LEVELS)}")
    return value


def _data(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


def _keys(value: object) -> object:
    return {"level": value} if isinstance(value, str) else value


class CompressKeys(Record):
    """`{level: LEVEL, data: FILE.npz}`, or just the level: how weights are stored in fewer bits.

    Attributes:
        level: name of one.
        data: vectors that weights are found on; None for the card's, if they are of a file.
    """

    level: Annotated[str, AfterValidator(_level)]
    data: Annotated[FileVectors | None, BeforeValidator(_data)] = None

    @property
    def wanted(self) -> CompressionLevel:
        """The level."""
        return level_of(self.level)


CompressField: TypeAlias = Annotated[CompressKeys | None, BeforeValidator(_keys)]


def parse_compress(text: str, base: Path) -> CompressKeys:
    """Compression from an option's text: a level, then perhaps `,data=FILE` with paths from `base`.

    Raises:
        OptionError: there is no such level, or something else follows.
    """
    name, _, rest = text.partition(",")
    level = level_of(name.strip())
    if not rest:
        return CompressKeys(level=level.name)
    key, _, file = rest.partition("=")
    data = parse_vectors(file, base) if key.strip() == "data" else None
    if not isinstance(data, FileVectors):
        raise OptionError(f"--compress {text}: '{rest}' is no data=FILE.npz", hint=f"--compress {name},data=FILE.npz")
    return CompressKeys(level=level.name, data=data)
