"""Target: what code is generated for: a core, its features, and the caches and memories that it waits for."""

from __future__ import annotations

from dataclasses import dataclass

from harness.hardware.cores import core


@dataclass(frozen=True)
class Cached:
    """A memory behind a cache: the core waits for each line that is missed.

    Attributes:
        sets, ways, line: of the cache; `line` in bytes.
        load: modelled cycles of waiting for a line that a load or fetch misses.
        store: the same for a store; 0 where stores do not fill lines.
    """

    sets: int
    ways: int
    line: int
    load: float
    store: float = 0.0

    @property
    def size(self) -> int:
        """Bytes that the cache holds."""
        return self.sets * self.ways * self.line

    def lines(self, size: int) -> int:
        """Number of cache lines of `size` adjacent bytes."""
        return -(-size // self.line)

    def kept(self, lines: int, beside: int = 0) -> float:
        """Share of `lines` adjacent lines that are still cached when all are read in order once more.

        With LRU replacement, a set that more lines map to than it has ways keeps none of them until the next read.
        `beside` other lines that are in constant use take ways, in sets that are taken to be random.
        """
        each, more = divmod(lines, self.sets)
        hot, hotter = divmod(beside, self.sets)
        kept = 0.0
        for count, held in ((more, each + 1), (self.sets - more, each)):
            room = self.ways - held - hot
            kept += count * held * (1.0 if room > 0 else 1 - hotter / self.sets if room == 0 else 0.0)
        return kept / max(lines, 1)

    def missed(self, size: int, reads: float, beside: int = 0) -> float:
        """Lines missed while `size` adjacent bytes are read `reads` times, with `beside` other lines in use."""
        lines = self.lines(size)
        return lines + max(reads - 1, 0) * lines * (1 - self.kept(lines, self.lines(beside)))


@dataclass(frozen=True)
class Target:
    """A core, and the memories that hold code, weights and activations.

    Attributes:
        core: "cortex-m4" and so on, or "host".
        code, weights, arena: the memory of each; None where the core never waits for it. The last two share a cache.
        scratch: the memory of scratch, the arena's where it is part of that.
        scratch_apart: whether scratch is no part of the arena.
        separate_data_bus: whether weights and arena are different memories, so that loads from the two do not overlap.
        ram: bytes of the memory that holds the arena, and of that for scratch; None where it is not known.
    """

    core: str
    code: Cached | None = None
    weights: Cached | None = None
    arena: Cached | None = None
    scratch: Cached | None = None
    scratch_apart: bool = False
    separate_data_bus: bool = False
    ram: int | None = None

    def __post_init__(self) -> None:
        core(self.core)

    @property
    def features(self) -> frozenset[str]:
        """The core's features, see Core."""
        return core(self.core).features

    @property
    def weight_stall(self) -> float:
        """Modelled cycles of waiting for each 32-bit word of weights that is read once, in order."""
        return 0.0 if self.weights is None else self.weights.load * 4 / self.weights.line

    @property
    def code_cache(self) -> int | None:
        """Bytes of the instruction cache, in which inner loops should fit; None where code runs without wait states."""
        return None if self.code is None else self.code.size

    def weight_stalls(self, size: int, reads: float) -> float:
        """Modelled cycles of waiting for `size` bytes of weights that are read `reads` times, each time in order."""
        return 0.0 if self.weights is None else self.weights.load * self.weights.missed(size, reads)
