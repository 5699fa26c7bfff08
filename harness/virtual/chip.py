"""Records of a chip for the virtual board; the chips are in harness/virtual/chips.

Offsets are in bytes from a block's base address; rates in hertz.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

ReadRegister = Callable[[str, int], int]


@dataclass(frozen=True)
class ChipMemory:
    """A range of memory; `alias_of` names the range of which it is an alias at another address."""

    name: str
    origin: int
    size: int
    kind: Literal["ram", "flash"] = "ram"
    alias_of: str | None = None


@dataclass(frozen=True)
class Follow:
    """A status field that always equals a control field: `width` bits of `source` (offset, lowest bit)."""

    source: tuple[int, int]
    status: tuple[int, int]
    width: int = 1


@dataclass(frozen=True)
class Clock:
    """The enable bit of a peripheral's clock, in a register of block "rcc"."""

    offset: int
    bit: int


@dataclass(frozen=True)
class RegisterMap:
    """A peripheral that is emulated as memory cells, with status that follows control immediately.

    Attributes:
        reset: offset -> value after reset, where it is not 0.
        follows: status fields that equal control fields.
        always: offset -> bits that always read as 1.
    """

    name: str
    base: int
    size: int = 0x400
    reset: Mapping[int, int] = field(default_factory=dict)
    follows: tuple[Follow, ...] = ()
    always: Mapping[int, int] = field(default_factory=dict)
    clock: Clock | None = None


@dataclass(frozen=True)
class UsartDescription:
    """A serial port.

    Attributes:
        clock: None where it always runs.
        kind: its registers: "isr" with ISR, RDR and TDR, "status" with SR and DR, "nrf" with tasks and events.
        fifo: bytes that the receiver holds with FIFOEN; 1 where there is no FIFO.
        low_power: an LPUART, whose BRR counts 256ths.
        function: number of the alternate function that connects pins to it.
    """

    name: str
    base: int
    clock: Clock | None
    fifo: int = 1
    low_power: bool = False
    function: int = 7
    kind: Literal["isr", "status", "nrf"] = "isr"


@dataclass(frozen=True)
class TimerSpec:
    """TIM2 of an STM32, and a timer that can count how often it wraps; or TIMER0 of an nRF.

    Attributes:
        follower: (base, clock, trigger) of TIM3; the trigger is the number by which it names TIM2. None where it is not
            modelled.
    """

    base: int
    clock: Clock | None
    follower: tuple[int, Clock, int] | None = None
    kind: Literal["stm32", "nrf"] = "stm32"


@dataclass(frozen=True)
class FlashLayout:
    """The flash controller.

    Attributes:
        controller: which model of it, see harness/virtual/flash.py.
        base: its registers.
        sectors: bytes of each sector from the start of the flash.
        options: what the option register reads.
    """

    controller: Literal["h7", "h7a", "l4", "f7", "g0", "u5", "nrf"]
    base: int
    sectors: tuple[int, ...]
    options: int = 0


@dataclass(frozen=True)
class Clocks:
    """Rates for the registers that the firmware wrote: the core's, TIM2's, and each serial port's kernel clock."""

    core: int
    timer: int
    usarts: Mapping[str, int]


@dataclass(frozen=True)
class Wiring:
    """Connections of a board to its chip: the serial port at the debug probe's virtual COM port with its pins ("pd8",
    "p0.06"), and the rate of the external clock.
    """

    usart: str
    tx: str
    rx: str
    hse: int = 8_000_000


@dataclass(frozen=True)
class Chip:
    """A microcontroller.

    Attributes:
        core: of harness.virtual.coremodels.
        cpuid: the core's CPUID register.
        idcode: value of DBGMCU_IDCODE, at each address of `idcode_at`.
        boot: address of the vector table after reset.
        clocks: calculates the rates, from a reader of registers by block and offset, and the external clock's rate.
        reset_cause: (block, offset, cause of a reset -> its flags) of the reset status register.
        wiring: of the maker's board: ST's Nucleo, Nordic's DK.
        control_port: IDR of the second access port, by which an nRF tells whether it is locked; 0 where there is none.
    """

    name: str
    core: str
    cpuid: int
    idcode: int
    idcode_at: tuple[int, ...]
    boot: int
    memory: tuple[ChipMemory, ...]
    registers: tuple[RegisterMap, ...]
    usarts: tuple[UsartDescription, ...]
    timer: TimerSpec
    flash: FlashLayout
    clocks: Callable[[ReadRegister, int], Clocks]
    reset_cause: tuple[str, int, Mapping[str, int]]
    wiring: Wiring
    control_port: int = 0


def bits(value: int, low: int, width: int) -> int:
    """A field of a register."""
    return value >> low & (1 << width) - 1


def gpio_ports(
    first: int, letters: str, enable: int, modes: Mapping[str, int], other: int = 0xFFFF_FFFF
) -> tuple[RegisterMap, ...]:
    """GPIO ports 0x400 apart, each with its enable bit in one RCC register; `modes` and `other`: MODER after reset."""
    return tuple(
        RegisterMap(
            name=f"gpio{letter}",
            base=first + 0x400 * (ord(letter) - ord("a")),
            reset={0x00: modes.get(letter, other)},
            clock=Clock(enable, ord(letter) - ord("a")),
        )
        for letter in letters
    )
