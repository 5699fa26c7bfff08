"""Line numbers in a card's file, from the YAML text as a tree of nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.errors import CardError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader of libyaml where PyYAML has it; it is ten times as fast."""

MAX_PARTS = 50_000
"""Most keys, values, beginnings and ends of a card; a card of a hundred boards has a fiftieth of them."""

_MAX_DEPTH = 32
_SURROGATE = re.compile("[\ud800-\udfff]")


def compose(path: Path, text: str) -> yaml.Node | None:
    """The node tree.

    Raises:
        CardError: the text is no YAML, or has aliases, a key twice, half a character, or more parts than a card has.
    """
    try:
        _check_parts(path, text)
        root: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CardError(f"{path}: not readable as YAML: {one_line(error)}", hint="correct the YAML syntax") from error
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


def _check_parts(path: Path, text: str) -> None:
    """Refuses what no card has, before anything is made of it."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        where = f"{path}: line {_line(event)}"
        if count >= MAX_PARTS or depth > _MAX_DEPTH:
            most = f"{MAX_PARTS:,} keys and values" if count >= MAX_PARTS else f"{_MAX_DEPTH} levels"
            raise CardError(f"{where}: a card has at most {most}", hint="`tinyhil docs cards` lists every key")
        if isinstance(event, yaml.AliasEvent):
            raise CardError(f"{where}: aliases (*{event.anchor}) are not used in cards", hint="write the value out")
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            raise CardError(f"{where}: half a character (a surrogate)", hint="write the character itself")


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
                    break  # no key stands twice
        node = found
    return int(line)


def _line(place: yaml.Node | yaml.Event) -> int:
    return int(place.start_mark.line) + 1 if place.start_mark else 1


def one_line(error: Exception) -> str:
    """An error's text without line breaks."""
    return " ".join(str(error).split())
