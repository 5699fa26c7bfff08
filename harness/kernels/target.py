"""What code is generated for: a core, its instruction set extensions, and how quickly its memory gives weights."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import CompileError

CORE_FEATURES: dict[str, frozenset[str]] = {
    "host": frozenset(),
    "cortex-m0plus": frozenset(),
    "cortex-m3": frozenset(),
    "cortex-m4": frozenset({"dsp"}),
    "cortex-m7": frozenset({"dsp", "dual-issue"}),
    "cortex-m33": frozenset({"dsp"}),
    "cortex-m55": frozenset({"dsp", "mve"}),
}
"""What kernels may ask for of each core that tinyhil generates code for: the DSP extension, MVE, and a pipeline that
issues two instructions a cycle in order (Cortex-M7), for which inner loops are scheduled apart."""


@dataclass(frozen=True)
class Target:
    """A core, and the memory that holds code and weights.

    Attributes:
        core: "cortex-m4" and so on, or "host".
        weight_stall: modelled cycles that the core waits for each 32-bit word of weights read once, in order; 0.0 where
            weights come without wait states.
        weight_cache: bytes of cache that keep weights read lately, so that they are not waited for again.
        code_cache: bytes of instruction cache between the core and slow code memory, in which an inner loop must fit;
            None where code runs without wait states.
    """

    core: str
    weight_stall: float = 0.0
    weight_cache: int = 0
    code_cache: int | None = None

    def __post_init__(self) -> None:
        if self.core not in CORE_FEATURES:
            raise CompileError(f"no core named '{self.core}'", hint="one of: " + ", ".join(CORE_FEATURES))

    @property
    def features(self) -> frozenset[str]:
        """What kernels may ask for."""
        return CORE_FEATURES[self.core]

    def weight_stalls(self, size: int, reads: int) -> float:
        """Cycles waited for `size` bytes of weights that are read `reads` times, in order, from end to end."""
        passes = 1 if size <= self.weight_cache else reads
        return passes * self.weight_stall * size / 4
