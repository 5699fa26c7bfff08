"""Fault frames -> errors that a person can read."""

from __future__ import annotations

from dataclasses import dataclass

from harness.elf.symbols import Symbols
from harness.errors import DeviceFaultError, ProtocolError, StackOverflowError
from harness.link.records import Fields
from harness.link.wire import PHASES, UNKNOWN, FaultKind

_WORDS: dict[int, str] = {
    FaultKind.HARD: "hard fault",
    FaultKind.MEMORY: "memory management fault",
    FaultKind.BUS: "bus fault",
    FaultKind.USAGE: "usage fault",
    FaultKind.STACK: "stack overflow",
    FaultKind.INTERRUPT: "unexpected exception",
    FaultKind.SECURE: "secure fault",
}

# Armv7-M and Armv8-M Architecture Reference Manuals: Configurable Fault Status Register, HardFault Status Register
_CFSR = {
    0: "IACCVIOL instruction fetch not allowed", 1: "DACCVIOL data access not allowed", 3: "MUNSTKERR", 4: "MSTKERR",
    5: "MLSPERR", 7: "MMARVALID", 8: "IBUSERR instruction fetch failed", 9: "PRECISERR data access failed",
    10: "IMPRECISERR data access failed, some instructions ago", 11: "UNSTKERR", 12: "STKERR", 13: "LSPERR",
    15: "BFARVALID", 16: "UNDEFINSTR undefined instruction", 17: "INVSTATE not in Thumb state", 18: "INVPC",
    19: "NOCP no coprocessor", 20: "STKOF stack limit", 24: "UNALIGNED", 25: "DIVBYZERO division by zero",
}  # fmt: skip
_HFSR = {1: "VECTTBL", 30: "FORCED", 31: "DEBUGEVT"}
_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 10: "SIGBUS", 11: "SIGSEGV"}
_MMARVALID = 1 << 7
_BFARVALID = 1 << 15
_WORD_SIZES = (4, 8)
_REGISTERS = (*(f"r{i}" for i in range(13)), "sp", "lr", "pc", "xpsr")


@dataclass(frozen=True)
class Fault:
    """What a fault frame says.

    Attributes:
        kind: a FaultKind, or a number that a later version has.
        word_size: bytes of a register.
        phase: "idle", "init" or "invoke".
        model, run: what was running.
        layer: the layer, or None where layers were not observed.
        registers: r0-r12, sp, lr, pc, xpsr; 0 where unknown.
        stack: words from sp upwards, or from the stack's lower end after an overflow.
    """

    kind: int
    word_size: int
    phase: str
    model: int
    run: int
    layer: int | None
    registers: tuple[int, ...]
    cfsr: int
    hfsr: int
    mmfar: int
    bfar: int
    stack: tuple[int, ...]

    @property
    def name(self) -> str:
        """The kind in words."""
        if self.kind == FaultKind.SIGNAL:
            return f"fatal signal {_SIGNALS.get(self.cfsr, self.cfsr)}"
        return _WORDS.get(self.kind, f"fault of unknown kind {self.kind}")

    @property
    def pc(self) -> int:
        """Where it happened; 0 where unknown."""
        return self.registers[15]


def parse_fault(body: bytes) -> Fault:
    """A fault frame's body.

    Raises:
        ProtocolError: it breaks the format.
    """
    fields = Fields(body, "a fault frame")
    kind = fields.number(1)
    word = fields.number(1)
    if word not in _WORD_SIZES:
        raise ProtocolError(
            f"a fault frame with registers of {word} bytes", hint="are firmware and tinyhil of the same version?"
        )
    phase = fields.one_of(PHASES)
    model, run, layer = fields.number(2), fields.number(4), fields.number(4)
    registers = tuple(fields.number(word) for _ in range(17))
    cfsr, hfsr = fields.number(4), fields.number(4)
    mmfar, bfar = fields.number(word), fields.number(word)
    stack = tuple(fields.number(word) for _ in range(fields.number(1)))
    return Fault(
        kind, word, phase, model, run, None if layer == UNKNOWN else layer, registers, cfsr, hfsr, mmfar, bfar, stack
    )


def render_fault(fault: Fault, symbols: Symbols | None) -> str:
    """Registers, status bits, and the functions that the stack words point into, one line each."""

    def placed(address: int) -> str:
        place = symbols.at(address) if symbols is not None and address else None
        return f"  {place}" if place is not None else ""

    width = 2 * fault.word_size
    lines = []
    if fault.kind == FaultKind.HARD and not fault.cfsr and not fault.hfsr:
        lines.append("no fault status: a core of Armv6-M (M0, M0+) does not tell the cause")
    elif fault.kind != FaultKind.SIGNAL and fault.word_size == 4:
        names = ", ".join(text for bit, text in _CFSR.items() if fault.cfsr >> bit & 1)
        lines.append(f"cfsr 0x{fault.cfsr:08x}  {names}".rstrip())
        names = ", ".join(text for bit, text in _HFSR.items() if fault.hfsr >> bit & 1)
        lines.append(f"hfsr 0x{fault.hfsr:08x}  {names}".rstrip())
        if fault.cfsr & _MMARVALID:
            lines.append(f"mmfar 0x{fault.mmfar:08x}  the address that was not allowed")
        if fault.cfsr & _BFARVALID:
            lines.append(f"bfar 0x{fault.bfar:08x}  the address that did not answer")
    else:
        lines.append(f"address 0x{fault.bfar:0{width}x}")
    if any(fault.registers):
        for name, value in zip(_REGISTERS, fault.registers, strict=True):
            if name in ("lr", "pc") and value == 0:
                lines.append(f"{name:<4} unknown")
            else:
                lines.append(f"{name:<4} 0x{value:0{width}x}{placed(value) if name in ('lr', 'pc') else ''}")
    if fault.stack:
        lines.append("stack words:")
        for start in range(0, len(fault.stack), 8):
            lines.append("  " + " ".join(f"{word:0{width}x}" for word in fault.stack[start : start + 8]))
        calls = [symbols.called_from(word) for word in fault.stack] if symbols is not None else []
        texts = [f"  {place}" for place in calls if place is not None]
        if texts:
            lines.append("calls that these words return to, innermost first; stale ones may be among them:")
            lines += [line for index, line in enumerate(texts) if index == 0 or texts[index - 1] != line]
    return "\n".join(lines)


def fault_error(fault: Fault, where: str, symbols: Symbols | None) -> DeviceFaultError:
    """The error of a fault; `where` names the model and layer, such as "kws, layer conv_2d_03"."""
    place = symbols.at(fault.pc) if symbols is not None and fault.pc else None
    at = f" at {place}" if place is not None else f" at 0x{fault.pc:08x}" if fault.pc else ""
    details = render_fault(fault, symbols)
    if fault.kind == FaultKind.STACK:
        return StackOverflowError(
            f"stack overflow on the device in {where}{at}",
            hint="give the board a larger stack_size in boards.yaml; large local arrays in the functions named?",
            details=details,
        )
    return DeviceFaultError(
        f"{fault.name} on the device in {where}{at}",
        hint="the details show registers and functions; --board host --sanitize often finds the cause",
        details=details,
    )
