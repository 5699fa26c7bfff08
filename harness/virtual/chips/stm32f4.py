"""STM32F446 (reference manual RM0390)."""

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
)
from harness.virtual.chips import stm32f


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers. A USART runs on its bus's clock."""
    tree = stm32f.tree(read, hse)
    return Clocks(tree.core, tree.timer, {"usart1": tree.apb2, "usart2": tree.apb1, "usart3": tree.apb1})


_F446 = Chip(
    name="stm32f446",
    core="cortex-m4",
    cpuid=0x410F_C241,
    idcode=0x1000_6421,
    idcode_at=(0xE004_2000,),
    boot=0x0000_0000,
    memory=(
        ChipMemory("flash", 0x0800_0000, 0x8_0000, "flash"),
        ChipMemory("flash-boot", 0x0000_0000, 0x8_0000, "flash", alias_of="flash"),
        ChipMemory("sram", 0x2000_0000, 0x2_0000),
    ),
    registers=(stm32f.RCC, stm32f.PWR, stm32f.SYSCFG, *stm32f.WATCHDOGS, *stm32f.pins("abcdefgh")),
    usarts=(
        UsartDescription("usart1", 0x4001_1000, Clock(stm32f.APB2ENR, 4), kind="status"),
        UsartDescription("usart2", 0x4000_4400, Clock(stm32f.APB1ENR, 17), kind="status"),
        UsartDescription("usart3", 0x4000_4800, Clock(stm32f.APB1ENR, 18), kind="status"),
    ),
    timer=TimerSpec(0x4000_0000, Clock(stm32f.APB1ENR, 0)),
    flash=FlashLayout("f7", 0x4002_3C00, (0x4000,) * 4 + (0x1_0000,) + (0x2_0000,) * 3, options=0x0FFF_AAED),
    clocks=clocks,
    reset_cause=("rcc", stm32f.CSR, stm32f.RESET_CAUSES),
    wiring=Wiring("usart2", "pa2", "pa3"),
)

CHIPS = (_F446,)
