"""Goals of a compilation: what to optimize for, time, RAM or flash, and budgets in bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from harness.errors import OptionError

Mode: TypeAlias = Literal["time", "ram", "flash", "balanced"]
MODES: tuple[Mode, ...] = get_args(Mode)

BALANCED_TIME = 1.05
"""Most expected time of "balanced", as a multiple of that of "time"."""

RAM_MORE, RAM_WORTH = 0.4, 0.5
"""Most that an arena of "ram" exceeds the smallest that is found, as a part of it, and percent of time that every
percent above it must buy."""

RAM_SMALL, RAM_FEW = 4096, 256
"""Bytes: parts of smaller arenas count as of the first; arenas may exceed the smallest by the second in any case."""

FLASH_MORE = 0.07
"""Most that the flash of "flash" exceeds the least that is found, as a part of it."""

FLASH_WORTH = 10
"""Percent of time that every percent above the least flash must buy in "flash"."""

TIME_RAM = 0.75
"""Most arena of "time" with kernels that trade RAM for time, as a share of the RAM, where that is known."""

BALANCED_RAM, BALANCED_ARENA = 0.25, 2.5
"""Most arena of "balanced" with kernels that trade RAM for time: as a share of the RAM, and a multiple of the arena
without them. Where the RAM is not known they must fit into that arena."""

_PREFIXES = {"": 1, "k": 1000, "ki": 1024, "m": 10**6, "mi": 1 << 20}


@dataclass(frozen=True)
class Goals:
    """What the compiler optimizes for.

    Attributes:
        optimize: "time": the fastest kernels that the RAM holds. "ram": the smallest arena, up to 40 % more where
            every two percent buy one of the time; `max_arena` reaches the smallest. "flash": the fewest bytes of
            weights, tables and code, up to 7 % more where every percent buys 10 % of the time. "balanced": a small
            arena, at most 5 % slower than the fastest and no slower than the arena is smaller, in which kernels that
            trade RAM for time count only within a share of the RAM.
        max_arena, max_flash: most bytes of arena and of flash; None without a budget. Within them the mode decides.
        prefetch: bytes of each of two buffers into which weights that are read once are copied ahead of their use; 0:
            they are not.
        compress: layers whose weights are of few values take kernels that store them so, whatever the mode.
    """

    optimize: Mode = "balanced"
    max_arena: int | None = None
    max_flash: int | None = None
    compress: bool = False
    prefetch: int = 0


@dataclass(frozen=True)
class Overrides:
    """Goals as a card or a command line gives them; None where it gives none."""

    optimize: Mode | None = None
    max_arena: int | None = None
    max_flash: int | None = None

    def or_else(self, other: Overrides) -> Overrides:
        """These overrides; `other`'s where these are None."""
        return Overrides(
            self.optimize or other.optimize, self.max_arena or other.max_arena, self.max_flash or other.max_flash
        )

    @property
    def goals(self) -> Goals:
        """The goals, with defaults where these are None."""
        return Goals(self.optimize or Goals.optimize, self.max_arena, self.max_flash)


def parse_overrides(optimize: str | None, max_arena: str | None, max_flash: str | None) -> Overrides:
    """Overrides from the text of options, None for an option not given.

    Raises:
        OptionError: a text is no mode, or no number of bytes.
    """
    return Overrides(
        parse_mode(optimize) if optimize else None,
        parse_bytes(max_arena, "max-arena") if max_arena else None,
        parse_bytes(max_flash, "max-flash") if max_flash else None,
    )


def parse_mode(text: str) -> Mode:
    """The mode of this name.

    Raises:
        OptionError: there is no such mode.
    """
    for mode in MODES:
        if mode == text:
            return mode
    raise OptionError(f"nothing is optimized for '{text}'", hint=f"one of: {', '.join(MODES)}")


def parse_bytes(text: str, option: str) -> int:
    """The number of bytes in a text such as "32000", "32k" (1000 each) or "32KiB" (1024 each).

    Raises:
        OptionError: the text is no number of bytes, or less than one; names `option`.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKmM]?i?)[bB]?\s*", text)
    factor = _PREFIXES.get(match[2].lower(), 0) if match else 0
    if match is None or float(match[1]) * factor < 1:
        raise OptionError(
            f"{option}: '{text}' is no number of bytes", hint="give bytes, such as 32000, 32k (1000) or 32KiB (1024)"
        )
    return int(float(match[1]) * factor)
