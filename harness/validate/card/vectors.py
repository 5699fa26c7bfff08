"""The source of a card's input vectors: a file, or a seed for random ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, NonNegativeInt, PositiveInt, Tag

from harness.errors import OptionError
from harness.files.reading import check_path
from harness.validate.card.record import PathText, Record

FILES = (".npz", ".wav")
"""Suffixes of files of vectors."""


class RandomVectors(Record):
    """`{random: COUNT, seed: SEED}`: noise, structure and corner values from a seed (harness/validate/vectors.py)."""

    random: Annotated[int, Field(ge=1, le=100_000)]
    seed: NonNegativeInt = 0


class FileVectors(Record):
    """`{file: NAME.npz, count: COUNT}`, or just `NAME.npz`: recorded inputs, with labels if there are any; or a .wav.

    Attributes:
        count: use only the first `count` vectors of the file; all of them when None.
        step: samples from one frame of a .wav to the next; those of a frame when None.
    """

    file: PathText
    count: PositiveInt | None = None
    step: PositiveInt | None = None


def _vectors(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


def _vectors_kind(value: object) -> str:
    random = "random" in value if isinstance(value, dict) else isinstance(value, RandomVectors)
    return "RandomVectors" if random else "FileVectors"


VectorsField: TypeAlias = Annotated[
    Annotated[RandomVectors, Tag("RandomVectors")] | Annotated[FileVectors, Tag("FileVectors")],
    Discriminator(_vectors_kind),
    BeforeValidator(_vectors),
]


def parse_vectors(text: str, base: Path) -> RandomVectors | FileVectors:
    """Vectors from an option's text: a .npz or .wav file, or COUNT or COUNT:SEED for random ones.

    Raises:
        OptionError: the text has none of these forms.
    """
    count, _, seed = text.partition(":")
    if count.isdecimal() and (not seed or seed.isdecimal()) and 1 <= int(count) <= 100_000:
        return RandomVectors(random=int(count), seed=int(seed or 0))
    if text.endswith(FILES):
        try:
            check_path(text)
        except OSError as error:
            raise OptionError(f"vectors '{text}': {error.strerror}", hint="correct the path") from None
        return FileVectors(file=str((base / text).resolve()))
    raise OptionError(
        f"vectors '{text}' are neither an .npz or .wav file nor a number",
        hint="give NAME.npz or NAME.wav, or COUNT (1 to 100000) or COUNT:SEED for seeded random vectors, such as 20:7",
    )
