"""STM32F746 and F767 (reference manuals RM0385, RM0410)."""

from __future__ import annotations

from harness.virtual.chip import (
    Chip,
    ChipMemory,
    Clock,
    Clocks,
    FlashLayout,
    ReadRegister,
    TimerSpec,
    UsartDescription,
    Wiring,
    bits,
)
from harness.virtual.chips import stm32f

DCKCFGR2 = 0x90


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers. Each USART has a choice of clocks."""
    tree = stm32f.tree(read, hse)
    kernel = read("rcc", DCKCFGR2)

    def usart(place: int, bus: int) -> int:
        return (bus, tree.system, stm32f.oscillator(read, 0, hse), stm32f.LSE)[bits(kernel, place, 2)]

    rates = {"usart1": usart(0, tree.apb2), "usart2": usart(2, tree.apb1), "usart3": usart(4, tree.apb1)}
    return Clocks(tree.core, tree.timer, rates)


def _chip(name: str, idcode: int, memory: tuple[ChipMemory, ...], flash: FlashLayout, cpuid: int) -> Chip:
    return Chip(
        name=name,
        core="cortex-m7",
        cpuid=cpuid,
        idcode=idcode,
        idcode_at=(0xE004_2000,),
        boot=0x0020_0000,  # the flash on the ITCM bus: BOOT_ADD0 as delivered
        memory=memory,
        registers=(stm32f.RCC, stm32f.PWR, stm32f.SYSCFG, *stm32f.WATCHDOGS, *stm32f.pins("abcdefghijk")),
        usarts=(
            UsartDescription("usart1", 0x4001_1000, Clock(stm32f.APB2ENR, 4)),
            UsartDescription("usart2", 0x4000_4400, Clock(stm32f.APB1ENR, 17)),
            UsartDescription("usart3", 0x4000_4800, Clock(stm32f.APB1ENR, 18)),
        ),
        timer=TimerSpec(0x4000_0000, Clock(stm32f.APB1ENR, 0)),
        flash=flash,
        clocks=clocks,
        reset_cause=("rcc", stm32f.CSR, stm32f.RESET_CAUSES),
        wiring=Wiring("usart3", "pd8", "pd9"),
    )


_F746 = _chip(
    "stm32f746",
    0x1001_6449,
    (
        ChipMemory("itcm", 0x0000_0000, 0x4000),
        ChipMemory("flash", 0x0800_0000, 0x10_0000, "flash"),
        ChipMemory("flash-itcm", 0x0020_0000, 0x10_0000, "flash", alias_of="flash"),
        ChipMemory("dtcm", 0x2000_0000, 0x1_0000),
        ChipMemory("sram", 0x2001_0000, 0x4_0000),
    ),
    FlashLayout("f7", 0x4002_3C00, (0x8000,) * 4 + (0x2_0000,) + (0x4_0000,) * 3, options=0xC0FF_AAFD),
    0x410F_C271,
)
_F767 = _chip(
    "stm32f767",
    0x1001_6451,
    (
        ChipMemory("itcm", 0x0000_0000, 0x4000),
        ChipMemory("flash", 0x0800_0000, 0x20_0000, "flash"),
        ChipMemory("flash-itcm", 0x0020_0000, 0x20_0000, "flash", alias_of="flash"),
        ChipMemory("dtcm", 0x2000_0000, 0x2_0000),
        ChipMemory("sram", 0x2002_0000, 0x6_0000),
    ),
    # one bank: nDBANK
    FlashLayout("f7", 0x4002_3C00, (0x8000,) * 4 + (0x2_0000,) + (0x4_0000,) * 7, options=0xFFFF_AAFD),
    0x411F_C270,
)

CHIPS = (_F746, _F767)
