"""The multiplications that a command stream asks for."""

from __future__ import annotations

from harness.ethosu.disassembly import commands
from harness.ethosu.fault import FaultError
from harness.ethosu.payload import Words
from harness.ethosu.registers import NpuRegisters

_SUMS_CHANNELS = {"NPU_OP_CONV": True, "NPU_OP_DEPTHWISE": False}


def multiplications(words: Words) -> int:
    """Products of convolutions, padding included; of a damaged stream those before the damage."""
    registers, total = NpuRegisters(), 0
    try:
        for command in commands(words.tolist()):
            if not command.form.starts:
                registers.set(command)
            elif command.form.name in _SUMS_CHANNELS:
                height, width, channels = registers.ofm_shape
                kernel = registers.kernel
                depth = registers.ifm_depth if _SUMS_CHANNELS[command.form.name] else 1
                total += height * width * channels * kernel.height * kernel.width * depth
    except FaultError:
        pass
    return total
