"""What a stream that ran has cost, as plain values that can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.ethosu.pmu import Counters


@dataclass(frozen=True)
class NpuBeats:
    """Beats of a port of the NPU, of one direction and kind, as in Counters.by_kind."""

    port: int
    direction: str
    kind: str
    beats: int


@dataclass(frozen=True)
class StreamCounts:
    """One command stream that ran; counts are modelled, see harness.ethosu.pmu.

    Attributes:
        place: where the stream is.
        accelerator: what it is compiled for.
        memory: the name of the MemoryTiming that was counted with.
        active: cycles.
        beats: by port, direction and kind.
    """

    place: str
    accelerator: str
    memory: str
    active: int
    beats: tuple[NpuBeats, ...]

    @classmethod
    def of(cls, counters: Counters, place: str) -> StreamCounts:
        """Those of counters that observed a stream."""
        beats = tuple(NpuBeats(*key, count) for key, count in sorted(counters.by_kind().items()))
        return cls(place, counters.accelerator.name, counters.memory.name, counters.active, beats)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> StreamCounts:
        """The inverse of dataclasses.asdict."""
        return cls(**{**content, "beats": tuple(NpuBeats(**beats) for beats in content["beats"])})
