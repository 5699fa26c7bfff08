"""The base class of all parts of a card."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict

from harness.files.reading import check_path


class Record(BaseModel):
    """A part of a card. Unknown keys are refused, so that a misspelt key cannot disable a check."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def checked_path(text: str) -> str:
    """The path; raises ValueError when no file can have it."""
    try:
        check_path(text)
    except OSError:
        raise ValueError("no path of a file") from None
    if not text.strip():
        raise ValueError("no path of a file")
    return text


PathText: TypeAlias = Annotated[str, AfterValidator(checked_path)]
