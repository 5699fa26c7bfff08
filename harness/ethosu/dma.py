"""NPU_OP_DMA_START: copies bytes between regions, or into SHRAM; of the U65 also rows and planes of them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.ethosu.fault import FaultError
from harness.ethosu.memory import SHRAM
from harness.ethosu.state import STEP, NpuState

_LINE, _ROWS, _PLANES = 0, 1, 2


def transfer(state: NpuState) -> None:
    """Carries out one copy.

    Raises:
        FaultError: it lies outside of its regions, or goes from SHRAM.
    """
    registers = state.registers
    source, target = registers.of("DMA0_SRC_REGION"), registers.of("DMA0_DST_REGION")
    length = registers.address("DMA0_LEN")
    if source >> 8 & 1:
        raise FaultError("reads SHRAM, which the NPU cannot")
    if source >> 9 & 3:
        raise FaultError("rows or planes at the source, which Vela does not ask for, are not simulated")
    at = registers.address("DMA0_SRC")
    for start in starts(state, target >> 9 & 3, length):
        content = state.memory.span(source & 7, at, length)
        state.memory.span(SHRAM if target >> 8 & 1 else target & 7, start, length, write=True)[:] = content.copy()
        at += length


def starts(state: NpuState, mode: int, length: int) -> Iterator[int]:
    """Bytes of the target at which each row begins."""
    registers = state.registers
    rows = registers.of("DMA0_SIZE0") if mode in (_ROWS, _PLANES) else 1
    planes = registers.of("DMA0_SIZE1") if mode == _PLANES else 1
    if mode > _PLANES or (mode != _LINE and state.accelerator.product == 0):
        raise FaultError(f"stride mode {mode} is not there on {state.accelerator.name}")
    state.spend(rows * planes * (length + STEP))
    start = registers.address("DMA0_DST")
    for _ in range(planes):
        for _ in range(rows):
            yield start
            start += length + (registers.distance("DMA0_SKIP0") if mode != _LINE else 0)
        start += registers.distance("DMA0_SKIP1") if mode == _PLANES else 0
