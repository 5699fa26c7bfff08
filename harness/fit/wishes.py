"""What a model is wished to keep."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compiler.goals import MODES, Mode

TRIED: tuple[Mode, ...] = ("balanced", *(mode for mode in MODES if mode != "balanced"))
"""All modes, in the order of preference among those that keep the wishes."""


@dataclass(frozen=True)
class Wishes:
    """Limits besides a part's own sizes; None: no limit.

    Attributes:
        latency_s: seconds that an inference may take.
        cycles: modelled cycles that it may take.
        energy: joules that it may take, where the part's supply current is known.
        max_flash: bytes of flash that weights, tables and code may take.
        max_ram: bytes of RAM that arena and stack may take.
        modes: of optimization, the first that keeps all wishes is taken.
    """

    latency_s: float | None = None
    max_flash: int | None = None
    max_ram: int | None = None
    modes: tuple[Mode, ...] = TRIED
    cycles: float | None = None
    energy: float | None = None
