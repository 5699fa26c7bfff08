"""Names of tensors in tables: long ones shortened so that they stay recognisable and different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from os.path import commonprefix

WIDTH = 48
"""Most characters of a name that is shown whole, and of a shortened one."""

_CUT = "..."
_HEAD = 30


def shorten(names: Iterable[str]) -> dict[str, str]:
    """Name -> what tables show of it. Different names are shown differently, each with at most WIDTH characters.

    A converter joins the names of what it fused by semicolons: the first of them says most. Of a path, its end does.
    Where two names would look alike, both show the place where they differ.
    """
    different = list(dict.fromkeys(names))
    shown = {name: name for name in different if len(name) <= WIDTH}
    left = [name for name in different if len(name) > WIDTH]
    turns = _turns(different) if left else {}
    ways: tuple[Callable[[str], str], ...] = (_usual, lambda name: _around(name, turns[name]))
    for way in ways:
        tried = {name: way(name) for name in left}
        uses = Counter((*shown.values(), *tried.values()))
        shown |= {name: text for name, text in tried.items() if uses[text] == 1}
        left = [name for name in left if name not in shown]
    taken, number = set(shown.values()), 0
    for name in left:
        text = ""
        while not text or text in taken:
            number += 1
            text = f"{name[:_HEAD]}{_CUT}#{number}"
        taken.add(text)
        shown[name] = text
    return shown


def _usual(name: str) -> str:
    room = WIDTH - len(_CUT)
    if ";" in name:
        return name[:_HEAD] + _CUT + name[_HEAD - room :]
    end = name[-room:]
    scope, slash, rest = end.partition("/")
    return _CUT + (slash + rest if slash and len(rest) > room // 2 else end)


def _turns(names: Iterable[str]) -> dict[str, int]:
    """Name -> where it has become different from all others: the length of the longest beginning that it shares."""
    ordered = sorted(names)
    shared = [len(commonprefix(pair)) for pair in pairwise(ordered)]
    return {name: max(around) for name, *around in zip(ordered, [0, *shared], [*shared, 0], strict=True)}


def _around(name: str, place: int) -> str:
    """The beginning of a name, and what stands around a place in it."""
    head = 12
    room = WIDTH - head - 2 * len(_CUT)
    start = max(min(place - room // 2, len(name) - room), head)
    return name[:head] + _CUT + name[start : start + room] + (_CUT if start + room < len(name) else "")
