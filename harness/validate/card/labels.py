"""The names of a card's classes: a list in the card, or the lines of a text file beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import PlainValidator

from harness.errors import CardError
from harness.files.reading import TooLargeError, read_regular
from harness.validate.card.record import checked_path

MAX_LABELS = 65_536
_MAX_CHARACTERS = 200
_MAX_BYTES = 1 << 20


def _labels(value: object) -> tuple[str, ...] | str:
    if isinstance(value, str):
        return checked_path(value)
    if not isinstance(value, list) or not value:
        raise ValueError("a list of names, or the path of a text file with one in each line, was expected")
    if any(isinstance(label, bool) for label in value):
        raise ValueError("yes, no, on and off are true and false in YAML: put such names into quotes")
    if not all(isinstance(label, str | int) for label in value):
        raise ValueError("names are text")
    return checked_labels([str(label) for label in value])


LabelsField: TypeAlias = Annotated[tuple[str, ...] | str, PlainValidator(_labels)]


def checked_labels(labels: list[str]) -> tuple[str, ...]:
    """The labels; raises ValueError when they are too many or too long."""
    if len(labels) > MAX_LABELS:
        raise ValueError(f"{len(labels):,} names, more than the {MAX_LABELS:,} that are read")
    long = next((i for i, label in enumerate(labels) if len(label) > _MAX_CHARACTERS), None)
    if long is not None:
        raise ValueError(f"name {long} has more than {_MAX_CHARACTERS} characters")
    return tuple(labels)


def read_labels(card: Path, labels: tuple[str, ...] | str) -> tuple[str, ...]:
    """The labels themselves, from the file where a path is given.

    Raises:
        CardError: the file cannot be read, is not UTF-8 text, or has too much in it.
    """
    if not isinstance(labels, str):
        return labels
    path = card.parent / labels
    try:
        text = read_regular(path, _MAX_BYTES).decode("utf-8")
        return checked_labels(text.replace("\r\n", "\n").rstrip("\n").split("\n"))
    except TooLargeError as error:
        reason, hint = error.strerror, "give a text file with the name of a class in each line"
    except OSError as error:
        reason, hint = f"cannot be read: {error.strerror}", "`labels` is a path from the card's folder; correct it"
    except ValueError as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        hint = "give a text file with the name of a class in each line"
    raise CardError(f"{path}: {reason}", hint=hint)
