"""Runs command streams over regions of bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.errors import CommandStreamError
from harness.ethosu.accelerators import Accelerator
from harness.ethosu.convolution import convolve, convolve_depthwise
from harness.ethosu.disassembly import NpuCommand, commands
from harness.ethosu.dma import transfer
from harness.ethosu.elementwise import elementwise
from harness.ethosu.fault import FaultError
from harness.ethosu.memory import Bytes, NpuMemory
from harness.ethosu.payload import Words
from harness.ethosu.pooling import pool
from harness.ethosu.registers import NpuRegisters
from harness.ethosu.state import MOST_WORK, NpuState, WeightCache

Observer = Callable[[NpuCommand, NpuRegisters], None]
"""Called after each operation, waits and the end included, with the registers as the operation found them."""

_STOP = "NPU_OP_STOP"

_OPERATIONS: Mapping[str, Callable[[NpuState, NpuCommand], None]] = {
    "NPU_OP_CONV": lambda state, _: convolve(state),
    "NPU_OP_DEPTHWISE": lambda state, _: convolve_depthwise(state),
    "NPU_OP_POOL": lambda state, command: pool(state, command.parameter & 7),
    "NPU_OP_ELEMENTWISE": lambda state, command: elementwise(state, command.parameter & 0x3F),
    "NPU_OP_DMA_START": lambda state, _: transfer(state),
}
"""What computes or moves; the other operations only wait, count or signal."""


@dataclass
class Simulator:
    """An Ethos-U55 or U65. Decoded weights are kept from one run to the next.

    Attributes:
        accelerator: which one it is.
        most_work: what one stream may ask for, in multiplications of a convolution.
    """

    accelerator: Accelerator
    most_work: int = MOST_WORK
    _cache: WeightCache = field(default_factory=WeightCache)

    def run(self, words: Words, regions: Mapping[int, Bytes], place: str, observe: Observer | None = None) -> None:
        """Runs a stream to its NPU_OP_STOP; results are in the regions.

        Registers are 0 and SHRAM is cleared before it. Operations follow one another, as the waits in a correct stream
        guarantee; a stream that lacks waits gives here what it gives when nothing overlaps.

        Raises:
            CommandStreamError: a command cannot be carried out. Regions hold what the commands before it left there.
        """
        memory = NpuMemory(regions, self.accelerator.shram)
        state = NpuState(self.accelerator, memory, NpuRegisters(), self._cache, self.most_work)
        try:
            for command in commands(words.tolist()):
                if not command.form.starts:
                    state.registers.set(command)
                    continue
                _carry_out(state, command)
                if observe is not None:
                    observe(command, state.registers)
                if command.form.name == _STOP:
                    return
            raise FaultError(f"the stream of {len(words)} words ends without {_STOP}", f"word {len(words)}")
        except FaultError as fault:
            raise CommandStreamError(
                f"{place}: {fault.place}: {fault.message}",
                hint="compile the model again with Vela; if that does not help, please report what tinyhil lacks",
            ) from fault


def _carry_out(state: NpuState, command: NpuCommand) -> None:
    operation = _OPERATIONS.get(command.form.name)
    if operation is None:
        return
    try:
        if command.form.name != "NPU_OP_DMA_START":
            state.bounded(*state.registers.ofm_shape)
        operation(state, command)
    except FaultError as fault:
        raise FaultError(fault.message, fault.place or command.place, fault.cause) from None
    except MemoryError:
        raise FaultError("its operands do not fit into this machine's memory", command.place) from None
