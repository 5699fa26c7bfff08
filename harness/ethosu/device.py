"""The Ethos-U55 or U65 as a device: registers that a driver reads and writes, in front of the simulator.

What a driver does wrong has the effect that it has on hardware, the worst one where the manual leaves it open, and is
noted by name. Rights, sleep and reset are kept as the manuals tell them; a stream runs in no time, unless `delay` says
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from harness.errors import CommandStreamError
from harness.ethosu import interface as at
from harness.ethosu.accelerators import Accelerator
from harness.ethosu.fault import FaultCause, FaultError
from harness.ethosu.interface import Cmd, CounterControl, Rights, StatusBit
from harness.ethosu.pmu import Counters, MemoryTiming, default_timing
from harness.ethosu.reach import NoMemoryError, NpuBus, Reach
from harness.ethosu.simulator import Simulator

_ID = 0x1006_4000
"""Architecture 1.0.6, which Vela's streams are for, of product family 4; the revision is left out."""

_AFTER_RESET: Mapping[int, int] = {at.CMD: int(Cmd.CLOCK_MAY_STOP | Cmd.POWER_MAY_GO)}
_ALWAYS = (at.CMD, at.RESET)
"""What can be written while the NPU sleeps."""

_WHILE_RUNNING = frozenset((at.CMD, at.RESET, *range(at.PMCR, at.PMCAXI_CHAN + 4, 4), *range(at.PMEVCNTR0, 0x390, 4)))
_BITS: Mapping[int, int] = {at.CMD: 0xFFFF_001F, at.RESET: 3, at.QCONFIG: 3, at.REGIONCFG: 0xFFFF}
_CYCLE_BITS = 48
_SHOWS = {
    FaultCause.BUS: StatusBit.BUS_ERROR,
    FaultCause.COMMAND: StatusBit.PARSE_ERROR,
    FaultCause.WEIGHTS: StatusBit.WEIGHT_FAULT,
}
_WORD = re.compile(r"word (\d+)")
_U65_ADDRESS_HIGH = 0xFF


class Misuse(StrEnum):
    """What a driver can do wrong."""

    NO_REGISTER = "no register at this offset"
    READ_ONLY = "written, but it can only be read"
    RESERVED_BITS = "reserved bits set"
    WHILE_RUNNING = "written while a stream runs"
    ASLEEP = "written while clock or power may be gone"
    UNALIGNED = "an address that is no multiple of 16"
    BEYOND_REACH = "an address of more bits than the NPU has"
    SIZE = "no multiple of 4, or 0"
    RIGHTS = "secure rights asked for by non-secure software"
    ABORTED = "reset while a stream runs"
    COUNTER = "an event that is not counted here"


@dataclass(frozen=True)
class NoteOfMisuse:
    """One thing that a driver did wrong.

    Attributes:
        what: which kind.
        register: its name, or its offset in hexadecimal.
        value: what was written; 0 for a read.
    """

    what: Misuse
    register: str
    value: int


@dataclass(frozen=True)
class NpuRun:
    """A stream that the device has run.

    Attributes:
        accelerator: what ran it.
        words: length of the stream.
        counters: of its operations.
        error: what it could not carry out; None if nothing.
        changed: bytes of memory that were written.
    """

    accelerator: Accelerator
    words: int
    counters: Counters
    error: CommandStreamError | None
    changed: int


@dataclass
class NpuDevice:
    """An NPU.

    Attributes:
        accelerator: which one.
        bus: the memory that it reaches.
        place: how errors name its streams.
        secure: whether the software that accesses it is secure.
        delay: how often STATUS reads "running" after a start; None for ever.
        on_run: called with every run that has ended.
        misuse: what the driver did wrong, in order.
    """

    accelerator: Accelerator
    bus: NpuBus
    place: str = "the NPU's command stream"
    secure: bool = True
    delay: int | None = 0
    on_run: Callable[[NpuRun], None] | None = None
    misuse: list[NoteOfMisuse] = field(default_factory=list)
    _simulator: Simulator = field(init=False)
    _values: dict[int, int] = field(init=False)
    _told: tuple[int, ...] | None = field(init=False, default=None)
    _asleep: bool = field(init=False, default=False)
    _left: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._simulator = Simulator(self.accelerator)
        self._values = dict(_AFTER_RESET) | {at.PROT: 0 if self.secure else int(Rights.NON_SECURE)}

    def begin(self, sizes: Sequence[int]) -> None:
        """Learns how far each region reaches; without, they reach to the end of the memory that they begin in."""
        self._told = tuple(sizes)

    def get(self, offset: int) -> int:
        """Reads a register."""
        if offset not in at.NAMES:
            self._note(Misuse.NO_REGISTER, offset)
            return 0
        if offset == at.STATUS:
            self._advance()
        if offset == at.CONFIG:
            return self.accelerator.config
        if offset == at.ID:
            return _ID
        value = self._values.get(offset, 0)
        return value | at.NUMBER_OF_COUNTERS if offset == at.PMCR else value

    def put(self, offset: int, value: int) -> None:
        """Writes a register."""
        value &= 0xFFFF_FFFF
        refused = self._refusal(offset)
        if refused is not None:
            self._note(refused, offset, value)
            return
        if value & ~_BITS.get(offset, 0xFFFF_FFFF):
            self._note(Misuse.RESERVED_BITS, offset, value)
            value &= _BITS[offset]
        special = {at.CMD: self._command, at.RESET: self._reset, at.PMCR: self._control_counters}.get(offset)
        if special is not None:
            special(value)
        elif offset in (at.PMCNTENSET, at.PMCNTENCLR):
            self._enable_counters(value, on=offset == at.PMCNTENSET)
        else:
            self._values[offset] = self._as_kept(offset, value)

    # --- writing ---

    def _refusal(self, offset: int) -> Misuse | None:
        """Why a write has no effect; None if it has one."""
        if offset not in at.NAMES:
            return Misuse.NO_REGISTER
        if offset in at.READ_ONLY:
            return Misuse.READ_ONLY
        if self._running and offset not in _WHILE_RUNNING:
            return Misuse.WHILE_RUNNING
        if self._asleep and offset not in _ALWAYS:
            return Misuse.ASLEEP
        return None

    def _as_kept(self, offset: int, value: int) -> int:
        """What a register keeps of a value."""
        pointer = at.BASEP0 <= offset < at.BASEP0 + 8 * at.POINTERS
        if offset == at.QSIZE:
            if value % 4 or not value:
                self._note(Misuse.SIZE, offset, value)
            return value & ~3
        if offset == at.QBASE1 or pointer and offset & 4:
            reach = _U65_ADDRESS_HIGH if self.accelerator.product else 0
            if value & ~reach:
                self._note(Misuse.BEYOND_REACH, offset, value)
            return value & reach
        if offset == at.QBASE0 or pointer:
            if value % 16:
                self._note(Misuse.UNALIGNED, offset, value)
            return value & ~15
        if at.PMEVTYPER0 <= offset < at.PMEVTYPER0 + 4 * at.EVENT_COUNTERS and not self._is_counted(value):
            self._note(Misuse.COUNTER, offset, value)
        return value

    def _reset(self, value: int) -> None:
        if self._running:
            self._note(Misuse.ABORTED, at.RESET, value)
        if not self.secure and not value & Rights.NON_SECURE:
            self._note(Misuse.RIGHTS, at.RESET, value)
            value |= Rights.NON_SECURE
        self._values = dict(_AFTER_RESET) | {at.PROT: value, at.RESET: value}
        self._asleep = False

    def _command(self, value: int) -> None:
        command = Cmd(value & 0x1F)
        self._values[at.CMD] = int(command & (Cmd.CLOCK_MAY_STOP | Cmd.POWER_MAY_GO))
        history = value >> at.IRQ_HISTORY << at.IRQ_HISTORY
        gone = history | (StatusBit.IRQ | StatusBit.PMU_IRQ if command & Cmd.CLEAR_IRQ else 0)
        self._values[at.STATUS] = self._status & ~int(gone)
        if command & Cmd.STOP and self._running:
            self._values[at.STATUS] = self._status & ~StatusBit.RUNNING | StatusBit.IRQ
        if command & Cmd.RUN:
            self._start()
        elif command & Cmd.POWER_MAY_GO and not self._running:
            kept = {offset: self._values.get(offset, 0) for offset in (at.PROT, at.CMD)}
            self._values, self._asleep = kept, True
        else:
            self._asleep = False

    def _start(self) -> None:
        if self._running:
            self._note(Misuse.WHILE_RUNNING, at.CMD, int(Cmd.RUN))
            return
        if self._asleep:
            self._note(Misuse.ASLEEP, at.CMD, int(Cmd.RUN))
        self._asleep = False
        self._values[at.STATUS] = int(StatusBit.RUNNING)
        self._values[at.QREAD] = 0
        if self.delay == 0:
            self._run()
        else:
            self._left = self.delay or 0

    def _note(self, what: Misuse, offset: int, value: int = 0) -> None:
        self.misuse.append(NoteOfMisuse(what, at.NAMES.get(offset, f"0x{offset:03x}"), value))

    # --- running ---

    @property
    def _status(self) -> int:
        return self._values.get(at.STATUS, 0)

    @property
    def _running(self) -> bool:
        return bool(self._status & StatusBit.RUNNING)

    def _advance(self) -> None:
        """Time goes on with every look at STATUS."""
        if self._running and self.delay is not None:
            if self._left == 0:
                self._run()
            else:
                self._left -= 1

    def _run(self) -> None:
        counters = Counters(self.accelerator, self._timing())
        words = np.zeros(0, np.uint32)
        changed = 0
        error: CommandStreamError | None = None
        try:
            words = np.frombuffer(self.bus.read(self._address(at.QBASE0), self._values.get(at.QSIZE, 0)), "<u4")
            memories = Reach(self.bus, self._places())
            try:
                self._simulator.run(words, memories.regions, self.place, counters.observe)
            finally:
                changed = memories.put_back()
            shows, position = StatusBit.END_REACHED, 4 * len(words)
        except CommandStreamError as fault:
            error = fault
            shows, position = _shown(fault, len(words))
        except NoMemoryError as missing:
            error = CommandStreamError(
                f"{self.place}: {missing}", hint="place commands, constants and arena in memory that the NPU reaches"
            )
            shows, position = StatusBit.BUS_ERROR, 0
        self._values[at.QREAD] = position
        self._values[at.STATUS] = int(shows | StatusBit.IRQ)
        self._count(counters)
        if self.on_run is not None:
            self.on_run(NpuRun(self.accelerator, len(words), counters, error, changed))

    def _places(self) -> dict[int, tuple[int, int]]:
        """Region -> address and bytes of those that are there."""
        out = {}
        for region in range(at.POINTERS):
            address = self._address(at.BASEP0 + 8 * region)
            if self._told is not None:
                size = self._told[region] if region < len(self._told) else 0
            else:
                size = self.bus.reach(address) if at.BASEP0 + 8 * region in self._values else 0
            if size:
                out[region] = address, size
        return out

    def _address(self, offset: int) -> int:
        return self._values.get(offset, 0) | self._values.get(offset + 4, 0) << 32

    def _timing(self) -> MemoryTiming:
        """The default memories, with the ports that the driver chose."""
        usual = default_timing(self.accelerator)
        chosen = self._values.get(at.REGIONCFG, 0)
        ports = {region: 1 for region in range(at.POINTERS) if chosen >> 2 * region & 2}
        return MemoryTiming(usual.name, usual.bytes_per_cycle, usual.latency, ports)

    # --- counting ---

    def _control_counters(self, value: int) -> None:
        if value & CounterControl.CLEAR_EVENTS:
            for index in range(at.EVENT_COUNTERS):
                self._values[at.PMEVCNTR0 + 4 * index] = 0
        if value & CounterControl.CLEAR_CYCLES:
            self._values |= {at.PMCCNTR_LO: 0, at.PMCCNTR_HI: 0}
        self._values[at.PMCR] = value & ~int(CounterControl.CLEAR_EVENTS | CounterControl.CLEAR_CYCLES)

    def _enable_counters(self, value: int, *, on: bool) -> None:
        now = self._values.get(at.PMCNTENSET, 0)
        now = now | value if on else now & ~value
        self._values |= {at.PMCNTENSET: now, at.PMCNTENCLR: now}

    @staticmethod
    def _is_counted(event: int) -> bool:
        return event in (at.EVENT_NONE, at.EVENT_CYCLE, at.EVENT_IDLE, at.EVENT_ACTIVE) or event in at.EVENT_BEATS

    def _count(self, counters: Counters) -> None:
        """Adds a stream's counts to the counters that are on."""
        enabled = self._values.get(at.PMCNTENSET, 0)
        if not self._values.get(at.PMCR, 0) & CounterControl.ENABLE:
            return
        for index in range(at.EVENT_COUNTERS):
            if enabled >> index & 1:
                place = at.PMEVCNTR0 + 4 * index
                counted = _counted(self._values.get(at.PMEVTYPER0 + 4 * index, 0), counters)
                self._values[place] = self._values.get(place, 0) + counted & 0xFFFF_FFFF
        if enabled & at.CYCLE_COUNTER:
            total = self._address(at.PMCCNTR_LO) + counters.active & (1 << _CYCLE_BITS) - 1
            self._values |= {at.PMCCNTR_LO: total & 0xFFFF_FFFF, at.PMCCNTR_HI: total >> 32}


def _counted(event: int, counters: Counters) -> int:
    """What one event counter counts of a stream; the NPU is never idle in it."""
    if event in (at.EVENT_CYCLE, at.EVENT_ACTIVE):
        return counters.active
    return counters.beats(*at.EVENT_BEATS[event]) if event in at.EVENT_BEATS else 0


def _shown(error: CommandStreamError, words: int) -> tuple[StatusBit, int]:
    """(bits of STATUS, QREAD) after a stream that ended with an error."""
    fault = error.__cause__
    assert isinstance(fault, FaultError)
    found = _WORD.search(fault.place)
    word = int(found[1]) if found else 0
    if word >= words:
        return StatusBit(0), 4 * words  # the end of the queue without the end of the stream
    return _SHOWS[fault.cause], 4 * word
