"""A virtual board: an emulated microcontroller with flash, peripherals and a serial port that a program can open."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from harness.elf.segments import loadable_segments
from harness.errors import BoardError, ImageFileError
from harness.virtual import debug, storage
from harness.virtual.access import BusError, DebuggerAccess
from harness.virtual.bus import Bus, RegisterBlock
from harness.virtual.chip import Chip, Clocks, Wiring
from harness.virtual.chips import find_chip
from harness.virtual.coremodels import CoreModel, find_model
from harness.virtual.cpu import LR, MSP, PC, SP, XPSR, Cpu, Stop
from harness.virtual.exceptions import Exceptions
from harness.virtual.flashes import make_flash
from harness.virtual.pins import WiredLine
from harness.virtual.registers import ClockRegisters, IdentityRegisters
from harness.virtual.terminal import Terminal
from harness.virtual.timers import make_timers
from harness.virtual.usarts import KINDS

_LEAST_SLICE = 1024  # more than the emulator's longest basic block has
_WAIT_S = 0.05


class Machine:
    """A chip with its serial port connected as on its board.

    Attributes:
        chip: its chip.
        model: its core.
        bus: its peripherals.
        cpu: its core.
        terminal: the serial port's far end.
        usart: the serial port.
        flash: the flash controller.
        notes: accesses that firmware on real silicon must not make, each once.
        locked_up: whether the core has faulted in its fault handler.
        sleeping: whether the core waits for an interrupt.
        brown_out_at: count of instructions at which there is a brown-out, once.
    """

    def __init__(self, chip: str | Chip, wiring: Wiring | None = None, flash_file: Path | None = None) -> None:
        """Powers on, with the core halted.

        Args:
            chip: its name, such as "stm32h743" or the whole order code.
            wiring: of the board; None for ST's Nucleo board of the chip.
            flash_file: keeps the flash's contents, made if missing; None: the flash is erased at first.

        Raises:
            BoardError: no such chip, or the file cannot be used.
        """
        self.chip = find_chip(chip) if isinstance(chip, str) else chip
        self.wiring = wiring or self.chip.wiring
        self.notes: list[str] = []
        self._lock: IO[bytes] | None = None
        try:
            if flash_file is not None:
                self._lock = storage.lock(flash_file)
            self._memory = storage.make_memory(self.chip, flash_file)
        except (OSError, ValueError) as error:
            raise BoardError(
                f"the virtual board's flash cannot be kept in {flash_file}: {error}",
                hint="name another place, or free disk space",
            ) from error
        array = next(region for region in self._memory if region.kind == "flash")
        self.flash = make_flash(self.chip.flash, array, self._code_changed)
        self.locked_up = self.sleeping = False
        self._halted = True
        self._held = False
        self._reset_wanted = False
        self._protection_new = self._code_new = False
        self.brown_out_at: int | None = None
        self._waited = 0.0
        self._clocks: Clocks | None = None
        self.model = model = find_model(self.chip.core)
        self.cpu = Cpu(model, self._memory, self.flash.store, array)
        self.control = debug.SystemControl(self, self.chip.cpuid, model)
        self._exceptions = Exceptions(self.cpu, self.control, self._vector, self.debug_halt, self._lock_up)
        self.dwt = debug.CycleCounter(self, self.control, model)
        self.fpb = debug.Breakpoints(self, model)
        self.bus = Bus(self._note)
        self._populate(model)
        self._access = DebuggerAccess(
            self._memory,
            self.bus,
            self.flash,
            code_changed=self._code_changed,
            register_written=self._after_debugger,
        )
        self.bus.attach(self.cpu.engine, self.cpu.fail, self.cpu.native)
        self.terminal = Terminal()
        self.usart.line = WiredLine(self.chip, self.wiring, self.bus, self.terminal, self._note)
        self.on_progress: Callable[[], None] | None = None
        self.power_on()

    # --- what others build on ---------------------------------------------------------------------------------------

    @property
    def uart_pty(self) -> str:
        """The path of the serial port on this machine."""
        return self.terminal.path

    @property
    def instructions(self) -> int:
        """Instructions executed since power-on."""
        return self.cpu.counter.executed

    @property
    def cycles(self) -> int:
        """Cycles since power-on: one per instruction, and the time of waiting at the core's rate."""
        return self.cpu.counter.executed + int(self._waited)

    @property
    def halted(self) -> bool:
        """Whether the debugger has stopped the core."""
        return self._halted

    def load(self, elf: Path) -> None:
        """Writes an image's bytes to memory, without the flash controller; the rest of the flash is erased.

        Raises:
            BoardError: it is no image, or does not fit.
        """
        try:
            segments = loadable_segments(elf)
        except ImageFileError as error:
            raise BoardError(error.message, hint=error.hint) from error
        flash = next(region for region in self._memory if region.kind == "flash")
        flash.store[:] = storage.ERASED * flash.size
        for segment in segments:
            address, data = segment.load_address, segment.data
            where = next((r for r in self._memory if r.holds(address, len(data))), None)
            if where is None:
                raise BoardError(
                    f"{elf.name} has {len(data)} bytes for 0x{address:08x}, where the {self.chip.name} has no memory",
                    hint="build the image for this board",
                )
            where.write(address, data)
        self._code_changed()

    def reset(self, halt: bool = False, cause: str = "pin") -> None:
        """Resets the system; with `halt` the core stays at its first instruction.

        Args:
            halt: do not run.
            cause: "pin", "software", "power" or "brown-out".
        """
        self._reset_wanted = False
        self.usart.flush()
        for device in self.bus.devices:
            lasting = (debug.SystemControl, debug.CycleCounter, debug.Breakpoints, IdentityRegisters)
            if not isinstance(device, lasting) or isinstance(device, IdentityRegisters) and cause == "power":
                device.reset()
        self.control.reset()
        block, offset, flags = self.chip.reset_cause
        causes = self.bus.named(block).words
        causes[offset] = causes.get(offset, 0) | flags.get(cause, 0)
        self.protection_changed()
        self.cpu.set_forbidden([])
        self._protection_new = False
        self._clocks = None
        self.control.words[debug.VTOR] = self.chip.boot
        self._start(halt)

    def hold(self, held: bool) -> None:
        """Asserts or releases the reset pin. While it is asserted the core does not run; debug accesses work."""
        if held and not self._held:
            self.reset()
        elif self._held and not held:
            self._held = False
            self._start(False)
        self._held = held

    def _start(self, halt: bool) -> None:
        """Sets the core's registers from the vector table."""
        self.locked_up = self.sleeping = False
        registers = self.cpu.registers
        registers.control = 0
        for number in range(13):
            registers[number] = 0
        registers[XPSR] = 1 << 24
        self._code_changed()
        vectors = self.chip.boot
        registers[MSP] = self._word(vectors) & ~3
        registers[SP] = registers[MSP]
        registers[LR] = 0xFFFF_FFFF
        start = self._word(vectors + 4)
        registers[PC] = start & ~1
        self._halted = halt
        if halt:
            self.control.halted_by_core()
        elif self.control.catches(debug.VC_CORERESET):
            self.debug_halt(debug.DFSR_VCATCH)
        elif start == 0xFFFF_FFFF:
            self.locked_up = True  # an erased flash

    def power_on(self, cause: str = "power", halt: bool = True) -> None:
        """Power-on: RAM has undefined contents, and the debug registers their reset values."""
        for region in self._memory:
            if region.kind == "ram":
                region.store[:] = os.urandom(4096) * (region.size // 4096)
        self.control.power_on()
        self.dwt.reset()
        self.fpb.reset()
        self.breakpoints_changed()
        self.reset(halt, cause)

    def step_slice(self, instructions: int) -> Stop:
        """Runs the core for a number of instructions, or until it waits, halts or resets.

        Raises:
            BoardError: the emulator failed.
        """
        if self._stands():
            return Stop.BREAK
        self.sleeping = False
        self._take_code()
        limit = self.cpu.counter.executed + max(instructions, _LEAST_SLICE)
        if self.brown_out_at is not None:
            limit = min(limit, self.brown_out_at)
            if self.cpu.counter.executed > limit - _LEAST_SLICE:
                self.brown_out_at = None
                self.power_on("brown-out", halt=False)
                return Stop.INTERRUPTED
        while True:
            stop = self.cpu.run(limit)
            self.flash.settle()
            if self._reset_wanted:
                self.reset(cause="software")
                return Stop.INTERRUPTED
            if self._protection_new:
                self._protection_new = False
                self.cpu.set_forbidden(self.control.forbidden())
            if stop in (Stop.FAULT, Stop.TRAP, Stop.BREAK):
                self._exceptions.handle(stop)
            elif stop is not Stop.INTERRUPTED:
                self.sleeping = stop is Stop.SLEEP
                self.usart.flush()
                return stop
            if self._stands():
                self.usart.flush()
                return Stop.BREAK

    def _stands(self) -> bool:
        return self._halted or self._held or self.locked_up

    def wait(self, others: list[int], timeout_s: float = _WAIT_S) -> None:
        """Waits until the serial port or another descriptor is ready, or for `timeout_s`; the clock continues."""
        start = time.monotonic()
        self.terminal.wait(others, timeout_s)
        if not self._halted:
            self._waited += (time.monotonic() - start) * self.clocks().core

    def close(self) -> None:
        """Closes the serial port and the flash's file; the machine cannot be used afterwards."""
        self.terminal.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def clocks(self) -> Clocks:
        """The rates for the registers that the firmware has written."""
        if self._clocks is None:
            self._clocks = self.chip.clocks(lambda block, at: self.bus.named(block).words.get(at, 0), self.wiring.hse)
        return self._clocks

    # --- as a debugger sees it --------------------------------------------------------------------------------------

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory or registers. Raises BusError."""
        return self._access.read(address, length)

    def write_memory(self, address: int, data: bytes) -> None:
        """Writes memory or registers; a write to flash goes through the flash controller. Raises BusError."""
        self._access.write(address, data)

    def debug_halt(self, reason: int) -> None:
        """Halts the core; `reason`: bits of DFSR."""
        self._halted = True
        self.control.halted_by_core()
        self.control.raise_status(debug.DFSR, reason)

    def debug_run(self) -> None:
        """Resumes the core, also from a lock-up, as the debugger may have changed its PC."""
        self._halted = self.locked_up = False

    def debug_step(self) -> None:
        """Executes one instruction, and takes an exception that it causes."""
        self._take_code()
        stop = self.cpu.step()
        self.flash.settle()
        if stop in (Stop.FAULT, Stop.TRAP):
            self._exceptions.handle(stop)
        self.control.raise_status(debug.DFSR, debug.DFSR_HALTED)

    def read_core(self, selector: int) -> int:
        """Reads a core register by its DCRSR number."""
        return self.cpu.registers[selector]

    def write_core(self, selector: int, value: int) -> None:
        """Writes a core register by its DCRSR number."""
        self.cpu.registers[selector] = value & ~1 if selector == PC else value

    def breakpoints_changed(self) -> None:
        """Sets the emulator's breakpoints to the comparators' addresses."""
        self.cpu.set_breakpoints(self.fpb.addresses())

    def protection_changed(self) -> None:
        """Applies the MPU's regions from the next instruction on."""
        forbidden = self.control.forbidden()
        if forbidden != self.cpu.forbidden:
            self._protection_new = True
            self.cpu.stop(Stop.INTERRUPTED)

    def request_reset(self) -> None:
        """Resets the system after the current instruction."""
        self._reset_wanted = True
        self.cpu.stop(Stop.INTERRUPTED)

    def _after_debugger(self) -> None:
        """Makes a reset or halt that a debugger's write to a register requested while the core does not run."""
        if self._reset_wanted:
            self.reset(cause="software")
        if self._protection_new:
            self._protection_new = False
            self.cpu.set_forbidden(self.control.forbidden())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _populate(self, model: CoreModel) -> None:
        for facts in self.chip.registers:
            self.bus.add(
                ClockRegisters(facts, self._clock_registers_changed) if facts.name == "rcc" else RegisterBlock(facts)
            )
        for facts_of_usart in self.chip.usarts:
            name = facts_of_usart.name
            kind = KINDS[facts_of_usart.kind]
            port = kind(facts_of_usart, lambda name=name: self.clocks().usarts.get(name, 0), self._idle)  # type: ignore[misc]
            self.bus.add(port)
            if name == self.wiring.usart:
                self.usart = port
                port.serial = port.state if port.NATIVE else None
        for timer in make_timers(self.chip.timer, lambda: self.cycles, self.clocks):
            self.bus.add(timer)
        self.bus.add(self.flash)
        for base in self.chip.idcode_at:
            self.bus.add(IdentityRegisters(base, self.chip.idcode))
        for device in (self.control, self.dwt, self.fpb, debug.RomTable(model)):
            self.bus.add(device)

    def _clock_registers_changed(self) -> None:
        self._clocks = None
        self.usart.clock_changed(self.bus.is_clocked(self.usart))

    def _idle(self) -> None:
        self.cpu.stop(Stop.IDLE)

    @property
    def flash_origin(self) -> int:
        """Address of the flash."""
        return next(region.origin for region in self._memory if region.kind == "flash")

    def set_idcode(self, value: int) -> None:
        """Sets the value of DBGMCU_IDCODE."""
        for device in self.bus.devices:
            if isinstance(device, IdentityRegisters):
                device.idcode = value

    def _code_changed(self) -> None:
        """Records that code in memory may have changed; the emulator is told once before the core runs again."""
        self._code_new = True

    def _take_code(self) -> None:
        if self._code_new:
            self._code_new = False
            self.cpu.code_changed()

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _word(self, address: int) -> int:
        return int.from_bytes(self.read_memory(address, 4), "little")

    def _vector(self, address: int) -> int | None:
        try:
            return self._word(address)
        except BusError:
            return None

    def _lock_up(self) -> None:
        self._note(f"the core locked up: a fault in a fault handler, at 0x{self.cpu.registers[PC]:08x}")
        self.locked_up = True
        if self.control.catches(debug.VC_HARDERR):
            self.debug_halt(debug.DFSR_VCATCH)
