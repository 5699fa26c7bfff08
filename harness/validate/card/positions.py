"""Line numbers in a card's file, from the YAML text as a tree of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.errors import CardError


def compose(path: Path, text: str) -> yaml.Node | None:
    """The node tree.

    Raises:
        CardError: the text is no YAML, or has aliases or a key twice.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise CardError(f"{path}: not readable as YAML: {one_line(error)}", hint="correct the YAML syntax") from error
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise CardError(
                f"{path}: line {_line(event)}: aliases (*{event.anchor}) are not used in cards",
                hint="write the value out",
            )
    for node in _mappings(root):
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise CardError(
                    f"{path}: line {_line(key)}: key '{key.value}' stands twice",
                    hint="keep one of them; YAML would silently take the last",
                )
            seen.add(str(key.value))
    return root


def _mappings(node: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def line_of(root: yaml.Node | None, where: list[str]) -> int:
    """The line of a key, named by those above it and itself; of the last of these that the file has."""
    node, line = root, 1
    for part in where:
        found: Any = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if str(key.value) == part:
                    line, found = _line(key), value
        node = found
    return int(line)


def _line(place: yaml.Node | yaml.Event) -> int:
    return int(place.start_mark.line) + 1 if place.start_mark else 1


def one_line(error: Exception) -> str:
    """An error's text without line breaks."""
    return " ".join(str(error).split())
