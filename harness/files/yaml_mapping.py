"""Reads a YAML file that maps names to entries: within bounds, each key once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import InputError
from harness.files.reading import read_regular
from harness.files.yaml_parts import load_strictly

if TYPE_CHECKING:  # pydantic is slow to import
    from pydantic import BaseModel

    Entry = TypeVar("Entry", bound=BaseModel)

MAX_BYTES = 4 << 20


def read_mapping(
    path: Path, kind: type[InputError], *, what: str, hint: str, most_parts: int, most_levels: int
) -> dict[str, Any]:
    """The mapping in a file; an empty file is an empty one.

    Args:
        path: of the file.
        kind: class of the errors.
        what: what the file maps, for errors, such as "board names to entries".
        hint: the errors' hint.
        most_parts, most_levels: see harness.files.yaml_parts.check_parts.

    Raises:
        InputError: of `kind`: the file cannot be read, is no YAML, gives a key twice, or is no mapping of words.
    """
    import yaml

    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8")
        content = load_strictly(text, most_parts, most_levels)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise kind(f"{place}: {error.problem}", hint=hint) from error
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise kind(f"{path}: {error}", hint=hint) from error
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise kind(f"{path}: not a mapping of {what}", hint=hint)
    return content


def checked_entry(
    path: Path, form: type[Entry], content: Mapping[str, Any], kind: type[InputError], hint: str
) -> Entry:
    """What a file's mapping says, in a form.

    Raises:
        InputError: of `kind`: it breaks the form; the message names the file and the first wrong key.
    """
    from pydantic import ValidationError

    try:
        return form.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise kind(f"{path}: {place}: {first['msg']}", hint=hint) from None


def problem_of(name: str, found: Mapping[str, Any]) -> str:
    """One of pydantic's errors in the entry `name` of a mapping: its place, and what is wrong there."""
    return f"{'.'.join([name, *map(str, found['loc'])])}: {found['msg'].removeprefix('Value error, ')}"
