"""Memory systems: what lies between a core and the bytes that it fetches, loads and stores.

An image has parts (PARTS). A memory system says in which memory each part lies, and what a miss of that memory is. The
profile keeps addresses by part, so that a part can be thought into another memory without running again, and so that
an image built for an emulated stand-in can be costed as if it lay in a real board's memories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.errors import OptionError

Part = Literal["code", "weights", "arena", "stack", "data", "text", "rodata", "other"]
"""`code`, `weights`, `arena`, `stack`, `data`: as in a board's placement. `text` and `rodata`: all other code (startup,
runtime, C library) and constants, which always stay in flash. `other`: no part of the image, such as peripherals."""

PARTS: tuple[Part, ...] = ("code", "weights", "arena", "stack", "data", "text", "rodata", "other")
FIXED: tuple[Part, ...] = ("text", "rodata")
"""Parts that no placement moves."""


@dataclass(frozen=True)
class Span:
    """`size` bytes from `origin`, which belong to `part`."""

    origin: int
    size: int
    part: Part


@dataclass(frozen=True)
class CacheGeometry:
    """A cache, or with one set and one way a line buffer.

    Attributes:
        name: under which memories share it: "art-instruction", "l1-data".
        sets, ways: a line at address a lies in set (a // line) % sets.
        line: bytes; a power of two.
        replace: which way a fill takes: the one unused for longest, or the next in turn.
    """

    name: str
    sets: int
    ways: int
    line: int
    replace: Literal["lru", "round-robin"] = "lru"


@dataclass(frozen=True)
class Memory:
    """One memory.

    Attributes:
        name: "flash", "axi", "dtcm"; boards.yaml's name of the region where it has one.
        kind: what it is made of.
        fetch: the cache that instructions from it go through; None where each fetch takes no longer than the core's own
            pipeline allows for, and nothing is ever missed.
        data: the same for loads and stores.
        write_allocate: a store that misses `data` fills a line; else it passes by and is no miss.
    """

    name: str
    kind: Literal["flash", "sram", "tcm"]
    fetch: CacheGeometry | None = None
    data: CacheGeometry | None = None
    write_allocate: bool = False


@dataclass(frozen=True)
class MemorySystem:
    """A board's memories, and which part of an image lies in which.

    Attributes:
        name: for reports: "nucleo-l4r5 dual-bank".
        memories: by their name.
        placement: the memory's name for each part; parts that are not named lie in memory `elsewhere`.
        elsewhere: the memory of `other` and of parts that are not named; "" for one without caches and stalls.
    """

    name: str
    memories: Mapping[str, Memory]
    placement: Mapping[Part, str] = field(default_factory=dict)
    elsewhere: str = ""

    def memory_of(self, part: Part) -> Memory:
        """The memory that a part lies in."""
        name = self.placement.get(part, self.elsewhere)
        return self.memories[name] if name in self.memories else Memory(name, "sram")

    def placed(self, parts: Mapping[str, str]) -> MemorySystem:
        """The same with parts in other memories.

        Raises:
            OptionError: no such part or memory, or a part that cannot be moved.
        """
        movable = [part for part in PARTS if part not in FIXED and part != "other"]
        for part, memory in parts.items():
            if part not in movable:
                raise OptionError(f"{part}: no part that can be placed", hint=f"parts: {', '.join(movable)}")
            if memory not in self.memories:
                raise OptionError(
                    f"{part}: {self.name} has no memory {memory}", hint=f"memories: {', '.join(self.memories)}"
                )
        moved: dict[Part, str] = {part: parts.get(part, where) for part, where in self.placement.items()}
        return replace(self, placement=moved | {part: parts[part] for part in movable if part in parts})
