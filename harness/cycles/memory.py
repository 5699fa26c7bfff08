"""Memory systems: memories with caches, and which part of an image lies in which memory.

A profile records addresses by part. A part can therefore be costed in another memory without running again, and an
image built for an emulated stand-in as if it lay in a real board's memories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from harness.errors import OptionError

Part: TypeAlias = str
"""A part of a model's image, one of PARTS; of a program's that is no model each memory is a part. `code`, `weights`,
`arena`, `scratch`, `stack`, `data`: as in a board's placement. `text` and `rodata`: all other code (startup, runtime, C
library) and constants, which always stay in flash. `other`: no part of the image, such as peripherals."""

PARTS: tuple[Part, ...] = ("code", "weights", "arena", "stack", "data", "text", "rodata", "scratch", "other")
FIXED: tuple[Part, ...] = ("text", "rodata")
"""Parts that no placement moves."""


@dataclass(frozen=True)
class Span:
    """`size` bytes from address `origin` that belong to `part`."""

    origin: int
    size: int
    part: Part


@dataclass(frozen=True)
class CacheGeometry:
    """A cache, or with one set and one way a line buffer.

    Attributes:
        name: the same for memories that share the cache: "art-instruction", "l1-data".
        sets, ways: a line at address a lies in set (a // line) % sets.
        line: bytes; a power of two.
        replace: the way that a fill replaces: the least recently used, or the next in turn.
        sector: bytes of a line that a miss fills, a power of two; None: all of it.
    """

    name: str
    sets: int
    ways: int
    line: int
    replace: Literal["lru", "round-robin"] = "lru"
    sector: int | None = None

    @property
    def fill(self) -> int:
        """Bytes that a miss fills."""
        return self.line if self.sector is None else self.sector


@dataclass(frozen=True)
class Memory:
    """A memory.

    Attributes:
        name: "flash", "axi", "dtcm"; boards.yaml's name of the region where it has one.
        kind: its technology.
        fetch: the cache for instructions from it; None where fetches never stall the core.
        data: the same for loads and stores.
        write_allocate: whether a store that misses `data` fills a line; else it is written through and no miss.
    """

    name: str
    kind: Literal["flash", "sram", "tcm"]
    fetch: CacheGeometry | None = None
    data: CacheGeometry | None = None
    write_allocate: bool = False


@dataclass(frozen=True)
class MemorySystem:
    """A board's memories, and the placement of an image's parts.

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
        """The memory system with some parts in other memories.

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
