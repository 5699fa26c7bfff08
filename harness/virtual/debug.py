"""The core's own registers on the private peripheral bus: system control, debug, breakpoints, cycle counter, ROM table.

Armv7-M Architecture Reference Manual, B3 (system control), C1 (debug, DWT, FPB).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.virtual.bus import WORD, Device
from harness.virtual.coremodels import Component, CoreModel

SCS, DWT, FPB, ROM_TABLE = 0xE000_E000, 0xE000_1000, 0xE000_2000, 0xE00F_F000

CPUID, ICSR, VTOR, AIRCR, SCR, CCR, SHCSR, CFSR, HFSR, DFSR, MMFAR, BFAR = (
    0xD00, 0xD04, 0xD08, 0xD0C, 0xD10, 0xD14, 0xD24, 0xD28, 0xD2C, 0xD30, 0xD34, 0xD38,
)  # fmt: skip
CCSIDR, CPACR = 0xD80, 0xD88
MPU_TYPE, MPU_CTRL, MPU_RNR, MPU_RBAR, MPU_RASR = 0xD90, 0xD94, 0xD98, 0xD9C, 0xDA0
DHCSR, DCRSR, DCRDR, DEMCR = 0xDF0, 0xDF4, 0xDF8, 0xDFC
FPCCR, MVFR0, MVFR1, MVFR2 = 0xF34, 0xF40, 0xF44, 0xF48

DEBUG_KEY, RESET_KEY, LOCK_KEY = 0xA05F, 0x05FA, 0xC5AC_CE55
C_DEBUGEN, C_HALT, C_STEP = 1 << 0, 1 << 1, 1 << 2
S_REGRDY, S_HALT, S_SLEEP, S_LOCKUP, S_RETIRE, S_RESET = 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 24, 1 << 25
VC_CORERESET, VC_HARDERR, TRCENA = 1 << 0, 1 << 10, 1 << 24
DFSR_HALTED, DFSR_BKPT, DFSR_VCATCH = 1 << 0, 1 << 1, 1 << 3
_SYSRESETREQ = 1 << 2
_CONTROL_BITS = 0xF

_CYCCNTENA = 1 << 0
_LOCK_ACCESS, _LOCK_STATUS, _COUNT = 0xFB0, 0xFB4, 0x004


class DebuggedCore(Protocol):
    """The core that the registers control."""

    @property
    def cycles(self) -> int:
        """Cycles so far: one per instruction, and the time of waiting."""

    @property
    def halted(self) -> bool:
        """Whether the debugger has stopped it."""

    locked_up: bool
    sleeping: bool

    def debug_halt(self, reason: int) -> None:
        """Halts the core; `reason`: bits of DFSR."""

    def debug_run(self) -> None:
        """Resumes the core."""

    def debug_step(self) -> None:
        """Executes one instruction."""

    def request_reset(self) -> None:
        """Resets the system after the current instruction."""

    def read_core(self, selector: int) -> int:
        """Reads a core register by its DCRSR number."""

    def write_core(self, selector: int, value: int) -> None:
        """Writes a core register by its DCRSR number."""

    def breakpoints_changed(self) -> None:
        """Called when the addresses of breakpoints have changed."""

    def protection_changed(self) -> None:
        """Called when the MPU's regions have changed."""


def _identification(component: Component, designer: int = 0x4BB) -> dict[int, int]:
    """PIDR and CIDR of a component, and DEVARCH where it has one; the designer is Arm's by default."""
    jep, continuation = designer & 0x7F, designer >> 8
    part = component.part
    table = part >> 4 == 0x4C
    kind = 0x1 if table else 0x9 if component.architecture else 0xE  # ROM table, CoreSight, generic
    return {
        0xFBC: component.architecture,
        0xFD0: continuation,
        0xFE0: part & 0xFF,
        0xFE4: part >> 8 | (jep & 0xF) << 4,
        0xFE8: jep >> 4 | 8,
        0xFEC: 0,
        0xFF0: 0x0D,
        0xFF4: kind << 4,
        0xFF8: 0x05,
        0xFFC: 0xB1,
    }


class SystemControl(Device):
    """System control block, MPU, and the debug registers."""

    def __init__(self, core: DebuggedCore, cpuid: int, model: CoreModel) -> None:
        super().__init__("scs", SCS, 0x1000)
        self._core = core
        self._model = model
        fixed = {CPUID: cpuid, MPU_TYPE: model.mpu_regions << 8, CCSIDR: model.cache}
        if model.has_fpu:
            fixed |= {MVFR0: 0x1011_0021, MVFR1: 0x1100_0011, MVFR2: 0x40 if model.breakpoint_version > 1 else 0}
        if model.baseline:
            fixed |= dict.fromkeys((SHCSR, CFSR, HFSR, MMFAR, BFAR, CPACR, FPCCR), 0)
        fixed |= _identification(model.control)
        self._fixed: Mapping[int, int] = fixed
        self.regions: list[tuple[int, int]] = []
        self._debug = 0
        self._demcr = 0
        self._transfer = 0
        self._was_reset = False
        self.reset()

    def reset(self) -> None:
        """System reset; the debug registers keep their values."""
        self.words = {CCR: 0x208 if self._model.baseline else 0x0004_0200, FPCCR: 0xC000_0000}
        self.regions = [(0, 0)] * max(self._model.mpu_regions, 1)
        self._was_reset = True

    def power_on(self) -> None:
        """Power-on reset, of the debug registers, too."""
        self._debug = self._demcr = 0
        self.reset()

    def enable_debug(self) -> None:
        """Enables halting debug, as a debugger does that halts at reset."""
        self._debug |= C_DEBUGEN

    @property
    def debug_enabled(self) -> bool:
        """Whether a debugger has enabled halting debug."""
        return bool(self._debug & C_DEBUGEN)

    @property
    def trace_enabled(self) -> bool:
        """Whether the cycle counter may run."""
        return bool(self._demcr & TRCENA)

    def catches(self, what: int) -> bool:
        """Whether the debugger has set this vector catch."""
        return bool(self._demcr & what) and self.debug_enabled

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        if offset == DHCSR:
            return self._status(debugger)
        if offset == DCRDR:
            return self._transfer
        if offset == DEMCR:
            return self._demcr
        if offset == AIRCR:
            return 0xFA05_0000 | self.words.get(AIRCR, 0)
        if offset == MPU_RBAR:
            return self.regions[self.words.get(MPU_RNR, 0) % len(self.regions)][0] | self.words.get(MPU_RNR, 0) & 0xF
        if offset == MPU_RASR:
            return self.regions[self.words.get(MPU_RNR, 0) % len(self.regions)][1]
        return self._fixed[offset] if offset in self._fixed else self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset in self._fixed:
            return
        if offset == DHCSR:
            if value >> 16 == DEBUG_KEY:
                self._control(value & _CONTROL_BITS)
        elif offset == DCRSR:
            self._select(value)
        elif offset == DCRDR:
            self._transfer = value
        elif offset == DEMCR:
            self._demcr = value
        elif offset == AIRCR:
            if value >> 16 == RESET_KEY:
                self.words[AIRCR] = value & 0x700
                if value & _SYSRESETREQ:
                    self._core.request_reset()
        elif offset in (CFSR, HFSR, DFSR):
            self.words[offset] = self.words.get(offset, 0) & ~value
        elif offset in (MPU_CTRL, MPU_RBAR, MPU_RASR):
            if self._model.mpu_regions:
                self._protect(offset, value)
        else:
            self.words[offset] = value

    def _protect(self, offset: int, value: int) -> None:
        number = self.words.get(MPU_RNR, 0) % len(self.regions)
        if offset == MPU_CTRL:
            self.words[MPU_CTRL] = value
        elif offset == MPU_RBAR:
            if value & 0x10:  # VALID: the value has the region's number
                number = value & 0xF
                self.words[MPU_RNR] = number
            self.regions[number % len(self.regions)] = (value & ~0x1F, self.regions[number % len(self.regions)][1])
        else:
            self.regions[number] = (self.regions[number][0], value)
        self._core.protection_changed()

    def forbidden(self) -> list[tuple[int, int]]:
        """(start, end) of the regions that the MPU forbids any access to."""
        if not self.words.get(MPU_CTRL, 0) & 1:
            return []
        found = []
        for base, attributes in self.regions:
            size = 2 << (attributes >> 1 & 0x1F)
            if attributes & 1 and not attributes >> 24 & 7:
                found.append((base, base + size))
        return found

    def raise_status(self, offset: int, value: int) -> None:
        """Sets bits of a status register that is cleared by writing ones."""
        self.words[offset] = self.words.get(offset, 0) | value

    def _status(self, debugger: bool) -> int:
        value = self._debug | S_REGRDY | S_RETIRE
        value |= S_HALT if self._core.halted else 0
        value |= S_SLEEP if self._core.sleeping else 0
        value |= S_LOCKUP if self._core.locked_up and not self._core.halted else 0
        if self._was_reset:
            value |= S_RESET
            if debugger:
                self._was_reset = False
        return value

    def _control(self, value: int) -> None:
        if not value & C_DEBUGEN:
            value &= ~(C_HALT | C_STEP)
        was_halted = self._core.halted
        self._debug = value
        if value & C_HALT:
            if not was_halted:
                self._core.debug_halt(DFSR_HALTED)
        elif was_halted and value & C_STEP:
            self._core.debug_step()
            self._debug |= C_HALT
        elif was_halted:
            self._core.debug_run()

    def halted_by_core(self) -> None:
        """Called when the core has halted at a breakpoint or at reset."""
        self._debug |= C_HALT

    def _select(self, value: int) -> None:
        if value & 1 << 16:
            self._core.write_core(value & 0x7F, self._transfer)
        else:
            self._transfer = self._core.read_core(value & 0x7F)


class CycleCounter(Device):
    """DWT with its cycle counter; watchpoints are memory cells. The Cortex-M7 locks it until the core gives a key."""

    def __init__(self, core: DebuggedCore, control: SystemControl, model: CoreModel) -> None:
        super().__init__("dwt", DWT, 0x1000)
        self._core = core
        self._control = control
        self._has_lock = model.locked_counter
        self._counts = not model.baseline
        self._fixed = _identification(model.counter)
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after power-on."""
        self.words = {}
        self._value = 0
        self._since: int | None = None
        self._locked = self._has_lock

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        if offset == _COUNT:
            return self._count()
        if offset == 0:
            return (0x4000_0000 if self._counts else 0x2B00_0000) | self.words.get(0, 0)
        if offset == _LOCK_STATUS:
            return 0 if debugger or not self._has_lock else 1 | int(self._locked) << 1
        return self._fixed.get(offset) or self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset == _LOCK_ACCESS:
            self._locked = self._has_lock and value != LOCK_KEY
            return
        if self._locked and not debugger:
            return
        if not self._counts and offset in (0, _COUNT):
            return
        if offset == _COUNT:
            self._value = value
            if self._since is not None:
                self._since = self._core.cycles
        else:
            self.words[offset] = value
            self.follow()

    def follow(self) -> None:
        """Starts or stops the counter by its enable bits."""
        runs = bool(self.words.get(0, 0) & _CYCCNTENA) and self._control.trace_enabled
        if runs and self._since is None:
            self._since = self._core.cycles
        elif not runs and self._since is not None:
            self._value, self._since = self._count(), None

    def _count(self) -> int:
        self.follow()
        if self._since is None:
            return self._value
        return (self._value + self._core.cycles - self._since) & WORD


class Breakpoints(Device):
    """FPB: version 1 on M4 and M0+ (there: BPU; two addresses a word), version 2 on M7 and M33."""

    def __init__(self, core: DebuggedCore, model: CoreModel) -> None:
        super().__init__("fpb", FPB, 0x1000)
        self._core = core
        self._whole = model.breakpoint_version > 1
        self.count = model.breakpoint_count
        self._fixed = _identification(model.breakpoints)
        self.reset()

    def reset(self) -> None:
        """Sets the registers to their values after power-on."""
        self.words = {}

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        if offset == 0:
            return (1 << 28 if self._whole else 0) | self.count << 4 | self.words.get(0, 0) & 1
        return self._fixed.get(offset) or self.words.get(offset, 0)

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        if offset == 0:
            if not value & 2:  # KEY
                return
            value &= 1
        self.words[offset] = value
        self._core.breakpoints_changed()

    def addresses(self) -> set[int]:
        """Addresses of the enabled breakpoints."""
        if not self.words.get(0, 0) & 1:
            return set()
        found = set()
        for index in range(self.count):
            value = self.words.get(8 + 4 * index, 0)
            if not value & 1:
                continue
            if self._whole:
                found.add(value & ~1)
            else:
                found |= {(value & 0x1FFF_FFFC) + half for half in (0, 2) if value >> 30 & (1 if half == 0 else 2)}
        return found


class RomTable(Device):
    """The ROM table, by which a debugger finds the other components."""

    def __init__(self, model: CoreModel) -> None:
        super().__init__("rom", ROM_TABLE, 0x1000)
        self.words = _identification(model.table)
        self.words[0xFCC] = 1  # system memory is on the same bus
        for index, base in enumerate((SCS, DWT, FPB)):
            self.words[4 * index] = (base - ROM_TABLE & 0xFFFF_F000) | 3

    def reset(self) -> None:
        """Does nothing: the table is constant."""

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Does nothing: the table is read only."""
