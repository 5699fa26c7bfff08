"""The emulated core: Unicorn's Cortex-M with counted instructions, exception entry and exception return.

Unicorn has no exceptions of the M profile: it stops where one would occur. The core then enters the image's handler as
the architecture defines (Armv7-M Architecture Reference Manual B1.5), so that the image itself reports faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from harness.errors import EmulatorMissingError
from harness.virtual.baseline import Alignment
from harness.virtual.coremodels import CoreModel
from harness.virtual.counting import make_counter
from harness.virtual.memory import Bytes
from harness.virtual.native import find_native

# Constants of Unicorn (unicorn/arm_const.py, unicorn_const.py), so that this file can be imported without it
_ARCH_ARM, _MODE_THUMB_MCLASS = 1, 0x10 | 0x20
_PROT_NONE, _PROT_READ_EXECUTE, _PROT_ALL = 0, 5, 7
_HOOK_INTERRUPT, _HOOK_CODE, _HOOK_INVALID_INSTRUCTION = 1, 4, 1 << 14
_HOOK_MEMORY_INVALID = 0x3F0
_WRITE_UNMAPPED, _FETCH_UNMAPPED, _WRITE_PROT, _FETCH_PROT = 20, 21, 22, 24
_INT_UNDEFINED, _INT_SVC, _INT_BKPT, _INT_RETURN, _INT_NO_COPROCESSOR, _INT_INVALID_STATE = 1, 2, 7, 8, 17, 18
_INT_STACK_LIMIT = 19


def missing() -> EmulatorMissingError:
    """The error for an emulator that is not installed."""
    return EmulatorMissingError(
        "the virtual board needs the package unicorn, which is not installed", hint="pip install 'tinyhil[virtual]'"
    )


NEVER = 0xFFFF_FFFF  # an address that no instruction has
PAGE = 0x1000

HARD_FAULT, MEM_FAULT, BUS_FAULT, USAGE_FAULT, SVCALL = 3, 4, 5, 6, 11

# CFSR
IACCVIOL, DACCVIOL, MSTKERR, MMARVALID = 1 << 0, 1 << 1, 1 << 4, 1 << 7
IBUSERR, PRECISERR, STKERR, BFARVALID = 1 << 8, 1 << 9, 1 << 12, 1 << 15
UNDEFINSTR, INVSTATE, INVPC, NOCP, STKOF = 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20
_CAUSES = {_INT_NO_COPROCESSOR: NOCP, _INT_INVALID_STATE: INVSTATE, _INT_STACK_LIMIT: STKOF}

_THUMB = 1 << 24
_FPCA, _SPSEL = 1 << 2, 1 << 1


class Stop(Enum):
    """Why the core stopped.

    LIMIT: the number of instructions is reached. IDLE: the firmware waits for input. SLEEP: WFI. BREAK: a breakpoint at
    the current address. INTERRUPTED: stopped from outside. FAULT: an exception is due, see Cpu.access. TRAP: an
    instruction requests an exception, see Cpu.trap.
    """

    LIMIT = 1
    IDLE = 2
    SLEEP = 3
    BREAK = 4
    INTERRUPTED = 5
    FAULT = 6
    TRAP = 7


@dataclass(frozen=True)
class Access:
    """A memory access that failed."""

    address: int
    fetch: bool
    write: bool


class Registers:
    """The core's registers by the numbers of the debug port's DCRSR: r0-r12, sp, lr, pc, xpsr, msp, psp, 20, FP."""

    def __init__(self, engine: Any) -> None:
        import unicorn.arm_const as names

        self._engine = engine
        self._ids = [getattr(names, f"UC_ARM_REG_R{i}") for i in range(13)]
        self._ids += [names.UC_ARM_REG_SP, names.UC_ARM_REG_LR, names.UC_ARM_REG_PC, names.UC_ARM_REG_XPSR]
        self._ids += [names.UC_ARM_REG_MSP, names.UC_ARM_REG_PSP]
        self._special = (
            names.UC_ARM_REG_PRIMASK, names.UC_ARM_REG_BASEPRI, names.UC_ARM_REG_FAULTMASK, names.UC_ARM_REG_CONTROL,
        )  # fmt: skip
        self._fpscr = names.UC_ARM_REG_FPSCR
        self._single = [getattr(names, f"UC_ARM_REG_S{i}") for i in range(32)]

    def __getitem__(self, number: int) -> int:
        if number < 19:
            return int(self._engine.reg_read(self._ids[number]))
        if number == 20:
            values = [int(self._engine.reg_read(register)) & 0xFF for register in self._special]
            values[3] &= 7
            return sum(value << 8 * place for place, value in enumerate(values))
        if number == 33:
            return int(self._engine.reg_read(self._fpscr))
        if 64 <= number < 96:
            return int(self._engine.reg_read(self._single[number - 64]))
        return 0

    def __setitem__(self, number: int, value: int) -> None:
        if number == PC:
            self._engine.reg_write(self._ids[PC], value & 0xFFFF_FFFF | 1)  # sets the emulator's T bit
        elif number < 19:
            self._engine.reg_write(self._ids[number], value & 0xFFFF_FFFF)
        elif number == 20:
            for place, register in enumerate(self._special):
                self._engine.reg_write(register, value >> 8 * place & 0xFF)
        elif number == 33:
            self._engine.reg_write(self._fpscr, value)
        elif 64 <= number < 96:
            self._engine.reg_write(self._single[number - 64], value)

    @property
    def control(self) -> int:
        """Value of CONTROL."""
        return self[20] >> 24

    @control.setter
    def control(self, value: int) -> None:
        self._engine.reg_write(self._special[3], value)


SP, LR, PC, XPSR, MSP, PSP = 13, 14, 15, 16, 17, 18


class Cpu:
    """The core and its memory.

    Attributes:
        registers: by DCRSR number.
        access: the access that ended the last run with FAULT; None if it was an instruction.
        trap: the exception that ended it with TRAP: SVCALL, or 0 for a return from an exception.
        failure: exception of a peripheral, or None.
        native: the parts in C; None without, and then it is slow.
        forbidden: (start, end) of the ranges that the MPU forbids.
    """

    def __init__(
        self, model: CoreModel, memory: Sequence[Bytes], flash_stores: Callable[[int, int, int], None], flash: Bytes
    ) -> None:
        """flash_stores: called with address, size and value before a store into flash."""
        try:
            import unicorn as package
        except ImportError as error:
            raise missing() from error
        unicorn: Any = package  # its annotations are incomplete and partly wrong
        self.engine: Any = unicorn.Uc(_ARCH_ARM, _MODE_THUMB_MCLASS)
        engine = self.engine
        engine.ctl_set_cpu_model(getattr(unicorn.arm_const, f"UC_CPU_ARM_{model.emulated}"))
        self._model = model
        self._memory = memory
        self._flash = flash
        self._flash_stores = flash_stores
        for region in memory:
            engine.mem_map_ptr(region.origin, region.size, self._access_of(region), region.pointer)
        self.registers = Registers(engine)
        self.native = find_native()
        self.counter = make_counter(engine, memory, self.native, baseline=model.baseline)
        self._alignment = Alignment(engine, self.native) if model.baseline else None
        self.access: Access | None = None
        self.trap = 0
        self.undefined = UNDEFINSTR
        self.failure: BaseException | None = None
        self._reason: Stop | None = None
        self._errors: type[Exception] = unicorn.UcError
        self._breakpoints: dict[int, Any] = {}
        self.forbidden: list[tuple[int, int]] = []
        self._passing: int | None = None
        engine.hook_add(_HOOK_MEMORY_INVALID, self._memory_invalid)
        engine.hook_add(_HOOK_INTERRUPT, self._interrupt)
        engine.hook_add(_HOOK_INVALID_INSTRUCTION, self._invalid)

    @staticmethod
    def _access_of(region: Bytes) -> int:
        return _PROT_READ_EXECUTE if region.kind == "flash" else _PROT_ALL

    # --- running --------------------------------------------------------------------------------------------------

    def run(self, limit: int | None) -> Stop:
        """Runs until the counter is at `limit` or something else stops the core. Raises exceptions of peripherals."""
        self._begin(limit)
        failed = self._start(0)
        at_limit = self.counter.at_limit
        before = self.counter.take_foreign()
        if before is not None and not failed and self._reason is None:
            while before and not failed and self._reason is None:
                failed = self._start(1)
                self.counter.stopped_at(self.registers[PC])
                before -= 1
            if not failed and self._reason is None:
                self._reason = Stop.FAULT
        self.counter.stopped_at(self.registers[PC])
        if self.failure is not None:
            raise self.failure
        if self._reason is not None:
            return self._reason
        if failed or self.access is not None:
            return Stop.FAULT
        return Stop.LIMIT if at_limit else Stop.SLEEP

    def step(self) -> Stop:
        """Executes one instruction."""
        self._begin(None)
        failed = self._start(1)
        before = self.counter.take_foreign()
        if before == 0:
            self._reason = Stop.FAULT
        elif before:
            failed = self._start(1)
        self.counter.stopped_at(self.registers[PC])
        if self.failure is not None:
            raise self.failure
        if self._reason is not None and self._reason is not Stop.BREAK:
            return self._reason
        return Stop.FAULT if failed else Stop.LIMIT

    def _start(self, count: int) -> bool:
        """Runs `count` instructions, or without a limit where it is 0; returns whether one failed."""
        failed = False
        if count:
            self.engine.ctl_flush_tb()  # a block that is translated already would run to its end
        try:
            self.engine.emu_start(self.registers[PC] | 1, NEVER, count=count)
        except self._errors:
            failed = True
        refused = None if self._alignment is None else self._alignment.take()
        if refused is not None:
            self.access = Access(refused[0], False, refused[1])
            self._reason = Stop.FAULT
        return failed

    def _begin(self, limit: int | None) -> None:
        self._reason = self.failure = self.access = None
        self.undefined = UNDEFINSTR
        self._passing = self.registers[PC]
        self.counter.set_limit(limit)

    def stop(self, reason: Stop) -> None:
        """Stops the core; called by a peripheral during an access, which is repeated afterwards."""
        if self._reason is None:
            self._reason = reason
        self.engine.emu_stop()

    def fail(self, error: BaseException) -> None:
        """Stops the core for an exception of a peripheral, which run() raises."""
        self.failure = self.failure or error
        self.engine.emu_stop()

    def code_changed(self) -> None:
        """Discards translations and counts of code in memory."""
        self.counter.forget()
        self.engine.ctl_flush_tb()

    def _memory_invalid(self, engine: Any, access: int, address: int, size: int, value: int, data: Any) -> bool:
        del engine, data
        if access == _WRITE_PROT and self._flash.holds(address, size):
            self._flash_stores(address, size, value)
            return True
        fetch = access in (_FETCH_UNMAPPED, _FETCH_PROT)
        self.access = Access(address, fetch, access in (_WRITE_UNMAPPED, _WRITE_PROT))
        return False

    def _interrupt(self, engine: Any, number: int, data: Any) -> None:
        del data
        if number == _INT_BKPT:
            self._reason = Stop.BREAK
        elif number == _INT_SVC:
            self._reason, self.trap = Stop.TRAP, SVCALL
        elif number == _INT_RETURN:
            self._reason, self.trap = Stop.TRAP, 0
        else:
            self._reason = Stop.FAULT
            self.undefined = _CAUSES.get(number, UNDEFINSTR)
        engine.emu_stop()

    def _invalid(self, engine: Any, data: Any) -> bool:
        del engine, data
        self._reason = Stop.FAULT
        return False

    # --- breakpoints and protection --------------------------------------------------------------------------------

    def set_breakpoints(self, addresses: set[int]) -> None:
        """Sets the addresses to stop at before execution; not while the core runs."""
        for address in set(self._breakpoints) - addresses:
            self.engine.hook_del(self._breakpoints.pop(address))
        for address in addresses - set(self._breakpoints):
            hook = self.engine.hook_add(_HOOK_CODE, self._breakpoint, begin=address, end=address)
            self._breakpoints[address] = hook
        self.engine.ctl_flush_tb()

    def _breakpoint(self, engine: Any, address: int, size: int, data: Any) -> None:
        del size, data
        if address == self._passing:  # the core continues from this breakpoint
            self._passing = None
            return
        self._reason = Stop.BREAK
        engine.emu_stop()

    def set_forbidden(self, ranges: list[tuple[int, int]]) -> None:
        """Forbids accesses to ranges of memory, in whole pages; not while the core runs."""
        for start, end in self.forbidden:
            self._protect(start, end, None)
        self.forbidden = ranges
        for start, end in ranges:
            self._protect(start, end, _PROT_NONE)

    def _protect(self, start: int, end: int, access: int | None) -> None:
        for region in self._memory:
            low = max(start, region.origin) + PAGE - 1 & ~(PAGE - 1)
            high = min(end, region.origin + region.size) & ~(PAGE - 1)
            if low < high:
                self.engine.mem_protect(low, high - low, self._access_of(region) if access is None else access)

    def is_forbidden(self, address: int) -> bool:
        """Whether the MPU forbids an address."""
        return any(start <= address < end for start, end in self.forbidden)

    # --- exceptions ------------------------------------------------------------------------------------------------

    def push_frame(self) -> int:
        """Pushes the exception frame; returns bits of CFSR if that fails, else 0."""
        registers = self.registers
        floats = registers.control & _FPCA
        size = 104 if floats else 32
        top = registers[SP]
        bottom = top - size & ~7
        status = registers[XPSR] & ~0x1FF | registers[XPSR] & 0x1FF | ((top - size) >> 2 & 1) << 9
        words = [registers[i] for i in (0, 1, 2, 3, 12, LR, PC)] + [status]
        if floats:
            words += [registers[64 + i] for i in range(16)] + [registers[33], 0]
        data = b"".join((word & 0xFFFF_FFFF).to_bytes(4, "little") for word in words)
        self._return_value = self._model.exception_return | (0 if floats else 0x10)
        if not status & 0x1FF:
            self._return_value |= 0xC if registers.control & _SPSEL else 8
        registers[SP] = bottom
        if self.is_forbidden(bottom) or self.is_forbidden(top - 1):
            return MSTKERR
        for region in self._memory:
            if region.kind != "flash" and region.holds(bottom, size):
                region.write(bottom, data)
                return 0
        return STKERR

    def enter(self, number: int, vector: int) -> None:
        """Enters a handler, after push_frame."""
        registers = self.registers
        registers.control = registers.control & ~(_SPSEL | _FPCA)
        registers[XPSR] = _THUMB | number
        registers[LR] = self._return_value
        registers[PC] = vector & ~1

    def leave(self) -> None:
        """Returns from an exception by the EXC_RETURN that the core has jumped to; the frame is not checked."""
        registers = self.registers
        value = registers[PC] | 1
        threaded, process, floats = value & 8, value & 4, not value & 0x10
        registers[XPSR] = _THUMB | (0 if threaded else registers[XPSR] & 0x1FF)
        chosen = (_SPSEL if process else 0) | (_FPCA if floats else 0)
        registers.control = registers.control & ~(_SPSEL | _FPCA) | chosen
        bottom = registers[PSP if process else MSP]
        data = bytes(self.engine.mem_read(bottom, 104 if floats else 32))
        words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
        for i, number in enumerate((0, 1, 2, 3, 12, LR, PC)):
            registers[number] = words[i] & ~1 if number == PC else words[i]
        for i in range(16 if floats else 0):
            registers[64 + i] = words[8 + i]
        registers[XPSR] = words[7] & ~(1 << 9)
        registers[SP] = bottom + len(data) + (4 if words[7] & 1 << 9 else 0)
