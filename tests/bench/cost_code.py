"""Which lines of code a profiled layer executed, by function: what caches of code have to hold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path

from harness.compiler.cost.model import LARGE
from harness.cycles.profile import LayerProfile, Profile
from harness.elf.symbols import read_symbols
from harness.hardware.target import Cached

Lines = Mapping[str, frozenset[int]]
"""Function -> lines of the cache, by number, that it was executed in."""


class Functions:
    """The functions of an image by address."""

    def __init__(self, elf: Path) -> None:
        found = {
            symbol.address: symbol.name
            for symbol in read_symbols(elf)
            if symbol.kind == "function" and symbol.section is not None
        }
        self._starts = sorted(found)
        self._names = [found[start] for start in self._starts]

    def at(self, address: int) -> str:
        """The function that an address lies in, or after."""
        place = bisect_right(self._starts, address) - 1
        return self._names[place] if place >= 0 else ""


def executed(profile: Profile, layer: LayerProfile, functions: Functions, line: int) -> Lines:
    """Lines of `line` bytes that a layer executed."""
    found: dict[str, set[int]] = {}
    for address, count in layer.counts.items():
        if count:
            last = address + len(profile.code.instruction(address)) - 1
            found.setdefault(functions.at(address), set()).update((address // line, last // line))
    return {name: frozenset(lines) for name, lines in found.items()}


def shared(lines: Lines, model: str) -> dict[str, float]:
    """Lines of the functions that layers share: all but the layer's own."""
    return {name: float(len(found)) for name, found in lines.items() if not name.startswith(f"{model}_layer_")}


def held_after(code: Mapping[str, float], cache: Cached, held: frozenset[str]) -> frozenset[str]:
    """Functions that are in the cache after a layer, by the rule of harness/compiler/cost/model.py."""
    if cache.size >= LARGE:
        return frozenset(code) | held
    return frozenset(code) if sum(code.values()) * cache.line <= cache.size else frozenset()
