"""Looks over YAML texts of others before anything is made of them."""

from __future__ import annotations

import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_parts(text: str, most: int, levels: int) -> None:
    """Refuses a text that is too large or too deep to be made into objects in time.

    Aliases are taken, but not within what an anchor names: each such level may multiply what the text stands for.

    Raises:
        ValueError: it has more than `most` keys and values, lies deeper than `levels`, has aliases within anchors, or
            half a character. The message names the line.
        yaml.YAMLError: it is no YAML.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    anchored: list[bool] = []  # by open collection, whether it or one around it has an anchor
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        problem = ""
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None or any(anchored[-1:]))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, yaml.AliasEvent) and any(anchored[-1:]):
            problem = f"an alias (*{event.anchor}) within what an anchor names"
        elif isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            problem = "half a character (a surrogate)"
        if count >= most:
            problem = f"more than {most:,} keys and values"
        elif len(anchored) > levels:
            problem = f"more than {levels} levels"
        if problem:
            mark = event.start_mark
            raise ValueError(f"line {mark.line + 1}: {problem}" if mark else problem)


def load_strictly(text: str, most: int, levels: int) -> Any:
    """The content of a YAML text whose keys are words, each given once: YAML forbids more, PyYAML takes the last.

    Raises:
        ValueError: see check_parts.
        yaml.YAMLError: it is no YAML, or a key is given twice or is no word.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = key_node.value
                if not isinstance(key_node, yaml.ScalarNode):
                    raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
                if key in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
                seen.add(key)
            return dict(super().construct_mapping(node, deep))

    check_parts(text, most, levels)
    return yaml.load(text, Loader)
