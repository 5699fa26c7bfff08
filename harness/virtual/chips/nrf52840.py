"""nRF52840 (Nordic's product specification): the serial port without DMA, one timer, the flash controller."""

from __future__ import annotations

from harness.virtual.chip import (
    Chip,
    ChipMemory,
    Clocks,
    FlashLayout,
    Follow,
    ReadRegister,
    RegisterMap,
    TimerSpec,
    UsartDescription,
    Wiring,
)

CORE, PERIPHERALS = 64_000_000, 16_000_000
RESETREAS = 0x400

# CLOCK and POWER: HFCLKSTARTED and the source of HFCLKSTAT follow HFCLKSTART; a clock always runs
_CLOCK = RegisterMap(
    "clock",
    0x4000_0000,
    size=0x1000,
    follows=(Follow((0x000, 0), (0x100, 0)), Follow((0x000, 0), (0x40C, 0))),
    always={0x40C: 1 << 16},
)
# Part AAD0, package QIAA, 256 KiB of RAM, 1 MiB of flash; the part's number is the chip's identity
_INFO = {0x00: 0x4141_4430, 0x04: 0x2004, 0x08: 0x100, 0x0C: 0x400}


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The rates, which do not change."""
    del read, hse
    return Clocks(CORE, PERIPHERALS, {"uart0": PERIPHERALS})


_NRF52840 = Chip(
    name="nrf52840",
    core="cortex-m4",
    cpuid=0x410F_C241,
    idcode=0x0005_2840,
    idcode_at=(0x1000_0100,),
    boot=0x0000_0000,
    memory=(
        ChipMemory("flash", 0x0000_0000, 0x10_0000, "flash"),
        ChipMemory("sram", 0x2000_0000, 0x4_0000),
    ),
    registers=(
        _CLOCK,
        RegisterMap("ficr", 0x1000_0000, size=0x100, reset={0x10: 0x1000, 0x14: 0x100}),
        RegisterMap("ficr-info", 0x1000_0104, size=0xEFC, reset=_INFO),
        RegisterMap("uicr", 0x1000_1000, size=0x1000, reset=dict.fromkeys(range(0, 0x400, 4), 0xFFFF_FFFF)),
        RegisterMap("gpio", 0x5000_0000, size=0x1000),
        RegisterMap("wdt", 0x4001_0000, size=0x1000),
    ),
    usarts=(UsartDescription("uart0", 0x4000_2000, None, fifo=6, kind="nrf"),),
    timer=TimerSpec(0x4000_8000, None, kind="nrf"),
    flash=FlashLayout("nrf", 0x4001_E000, (0x1000,) * 256),
    clocks=clocks,
    reset_cause=("clock", RESETREAS, {"pin": 1 << 0, "software": 1 << 2}),
    wiring=Wiring("uart0", "p0.06", "p0.08"),
    control_port=0x1288_0000,
)

CHIPS = (_NRF52840,)
