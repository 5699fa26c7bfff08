"""The state of firmware that no longer answers, through the debugger.

Boot stage, core registers with functions and lines, bytes lost on the line, and the causes of the last reset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.boards.backends.pyocd.boot import BootStage, boot_stage
from harness.boards.backends.pyocd.chips import family_of
from harness.boards.backends.pyocd.debugger import Debugger
from harness.elf.symbols import Symbols, symbol_address
from harness.errors import DeviceFaultError
from harness.link.faults import Fault, fault_error

# Armv7-M Architecture Reference Manual, B3.2.2
_CFSR, _HFSR, _MMFAR, _BFAR = 0xE000_ED28, 0xE000_ED2C, 0xE000_ED34, 0xE000_ED38
_IPSR_MASK = 0x1FF
# Exception number -> the fault frame's kind (docs/protocol.md)
_FAULT_KINDS = {3: 1, 4: 2, 5: 3, 6: 4, 7: 8}
_FRAME_WORDS = 8
_STACK_WORDS = 32
_LINE_SYMBOL = "hil_line"
# Functions of ports that wait for a byte
_WAITING = ("hil_port_read", "stm32_uart_take")


@dataclass(frozen=True)
class DeviceState:
    """A snapshot of the device, taken through the probe.

    Attributes:
        registers: the core's, by name.
        fault_status: CFSR, HFSR, MMFAR, BFAR.
        frame: r0-r3, r12, lr, pc, xpsr that the active exception has stacked; () outside of an exception.
        stack: words above that frame.
        line: counters of the serial line: baud, overruns, framing, noise; {} where the image has none.
        resets: causes of the last resets; () where the chip's register is not known.
        places: register -> function and line, for registers that hold addresses of code.
        boot: the boot stage; None where the image has no stages or none is reached yet.
    """

    registers: Mapping[str, int]
    fault_status: tuple[int, int, int, int]
    frame: tuple[int, ...]
    stack: tuple[int, ...]
    line: Mapping[str, int]
    resets: tuple[str, ...]
    places: Mapping[str, str]
    boot: BootStage | None

    @property
    def exception(self) -> int:
        """Number of the active exception; 0 for none."""
        return self.registers["xpsr"] & _IPSR_MASK

    @property
    def starves(self) -> bool:
        """Whether the firmware waits for bytes on a line that had overruns but no other errors."""
        waits = any(place.startswith(_WAITING) for place in self.places.values())
        return waits and self.line.get("overruns", 0) > 0 and self.line.get("framing", 0) == 0

    def text(self) -> str:
        """The snapshot in a few lines, for an error's details."""
        lines = ["through the debug probe:"]
        for name in ("pc", "lr"):
            lines.append(f"  {name} 0x{self.registers[name]:08x}  {self.places.get(name, '')}".rstrip())
        if self.exception:
            lines.append(f"  handling exception {self.exception}, cfsr 0x{self.fault_status[0]:08x}")
        if self.boot is not None and not self.boot.is_over:
            lines.append(f"  {self.boot.text()}")
        if self.line:
            lines.append("  serial line: " + ", ".join(f"{name} {value}" for name, value in self.line.items()))
        if self.resets:
            lines.append(f"  causes of resets so far: {', '.join(self.resets)}")
        return "\n".join(lines)


def device_state(debugger: Debugger, elf: Path, symbols: Symbols) -> DeviceState:
    """Takes a snapshot of the device; the core is halted briefly and resumed.

    Raises:
        ProbeError, ProbeLostError: the probe fails.
        ToolError: the installation is incomplete.
    """
    registers = debugger.registers()
    status = tuple(debugger.read_word(address) for address in (_CFSR, _HFSR, _MMFAR, _BFAR))
    frame: tuple[int, ...] = ()
    stack: tuple[int, ...] = ()
    if registers["xpsr"] & _IPSR_MASK in _FAULT_KINDS:  # models run on the process stack, where the frame is then
        words = _words(debugger.read(registers["psp"], 4 * (_FRAME_WORDS + _STACK_WORDS)))
        frame, stack = words[:_FRAME_WORDS], words[_FRAME_WORDS:]
    places = {name: place for name in ("pc", "lr") if (place := symbols.at(registers[name])) is not None}
    return DeviceState(
        registers=registers,
        fault_status=(status[0], status[1], status[2], status[3]),
        frame=frame,
        stack=stack,
        line=_line(debugger, elf),
        resets=_resets(debugger),
        places={name: str(place) for name, place in places.items()},
        boot=boot_stage(debugger, elf),
    )


def fault_of(state: DeviceState, symbols: Symbols) -> DeviceFaultError | None:
    """The error for the fault whose handler the core is in; None if it is in none."""
    kind = _FAULT_KINDS.get(state.exception)
    if kind is None:
        return None
    r0, r1, r2, r3, r12, lr, pc, xpsr = state.frame
    registers = (r0, r1, r2, r3, *(0,) * 8, r12, state.registers["psp"] + 4 * _FRAME_WORDS, lr, pc, xpsr)
    fault = Fault(kind, 4, "idle", 0, 0, None, registers, *state.fault_status, state.stack)
    return fault_error(fault, "the firmware, which never told it (found through the debug probe)", symbols)


def _line(debugger: Debugger, elf: Path) -> dict[str, int]:
    address = symbol_address(elf, _LINE_SYMBOL)
    if address is None:
        return {}
    return dict(zip(("baud", "overruns", "framing", "noise"), _words(debugger.read(address, 16)), strict=True))


def _resets(debugger: Debugger) -> tuple[str, ...]:
    family = family_of(debugger.target)
    return () if family is None else family.causes(debugger.read_word(family.reset_status))


def _words(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4))
