"""Reads a YAML file that maps names to entries: within bounds, each key once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import InputError
from harness.files.reading import read_regular
from harness.files.yaml_parts import load_strictly

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
