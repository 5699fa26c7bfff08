"""STM32U575 with TrustZone turned off, as delivered (reference manual RM0456)."""

from __future__ import annotations

from harness.virtual.chip import (
    Chip,
    ChipMemory,
    Clock,
    Clocks,
    FlashLayout,
    Follow,
    ReadRegister,
    RegisterMap,
    TimerSpec,
    UsartDescription,
    Wiring,
    bits,
    gpio_ports,
)

# RCC: offsets of registers
CR, ICSCR1, CFGR1, CFGR2, PLL1CFGR, PLL1DIVR, PLL1FRACR = 0x00, 0x08, 0x1C, 0x20, 0x28, 0x34, 0x38
AHB1ENR, AHB2ENR1, AHB3ENR, APB1ENR1, APB2ENR, APB3ENR, CCIPR1, CSR = 0x88, 0x8C, 0x94, 0x9C, 0xA4, 0xA8, 0xE0, 0xF4

HSI16, MSIS, LSE = 16_000_000, 4_000_000, 32_768

# Flags of the reset status register
_RESET_CAUSES = {"power": 0x0C00_0000, "brown-out": 0x0800_0000, "pin": 0x0400_0000, "software": 0x1000_0000}

_RCC = RegisterMap(
    "rcc",
    0x4602_0C00,
    reset={CR: 0x0000_0015, ICSCR1: 0x4400_0000, PLL1DIVR: 0x0101_0280, AHB1ENR: 0xD020_0100, CSR: 0x0C00_4400},
    follows=(
        Follow((CR, 0), (CR, 2)),  # MSISON, MSISRDY
        Follow((CR, 4), (CR, 5)),  # MSIKON, MSIKRDY
        Follow((CR, 8), (CR, 10)),  # HSION, HSIRDY
        Follow((CR, 16), (CR, 17)),  # HSEON, HSERDY
        Follow((CR, 24), (CR, 25)),  # PLL1ON, PLL1RDY
        Follow((CFGR1, 0), (CFGR1, 2), 2),  # SW, SWS
    ),
)
_PWR = RegisterMap(
    "pwr",
    0x4602_0800,
    reset={0x0C: 0x0000_8000},
    follows=(Follow((0x0C, 18), (0x0C, 14)),),  # BOOSTEN, BOOSTRDY of VOSR
    always={0x0C: 1 << 15},  # VOSRDY
    clock=Clock(AHB3ENR, 2),
)


def _oscillator(read: ReadRegister, select: int, hse: int) -> int:
    """MSIS (at its rate after reset), HSI16 or HSE; 0 where it is off."""
    control = read("rcc", CR)
    on = (1 << 0, 1 << 8, 1 << 16)[select]
    return (MSIS, HSI16, hse)[select] if control & on else 0


def _pll(read: ReadRegister, hse: int) -> int:
    """pll1_r_ck."""
    config, dividers = read("rcc", PLL1CFGR), read("rcc", PLL1DIVR)
    source = bits(config, 0, 2)
    if source == 0 or not read("rcc", CR) & 1 << 24 or not config & 1 << 18:
        return 0
    fraction = bits(read("rcc", PLL1FRACR), 3, 13) if config & 1 << 4 else 0
    rate = _oscillator(read, source - 1, hse) * (8192 * (bits(dividers, 0, 9) + 1) + fraction)
    return rate // ((bits(config, 8, 4) + 1) * 8192) // (bits(dividers, 24, 7) + 1)


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers."""
    switch = bits(read("rcc", CFGR1), 0, 2)
    system = _pll(read, hse) if switch == 3 else _oscillator(read, switch, hse)
    buses = read("rcc", CFGR2)
    prescaler = bits(buses, 0, 4)
    core = system if prescaler < 8 else system // (2, 4, 8, 16, 64, 128, 256, 512)[prescaler - 8]
    halvings = [max(bits(buses, low, 3) - 3, 0) for low in (4, 8)]
    apb1, apb2 = (core >> halving for halving in halvings)
    kernel = read("rcc", CCIPR1)

    def usart(place: int, bus: int) -> int:
        return (bus, system, _oscillator(read, 1, hse), LSE)[bits(kernel, place, 2)]

    rates = {"usart1": usart(0, apb2), "usart2": usart(2, apb1), "usart3": usart(4, apb1)}
    return Clocks(core, core if halvings[0] == 0 else 2 * apb1, rates)


_U575 = Chip(
    name="stm32u575",
    core="cortex-m33",
    cpuid=0x410F_D214,
    idcode=0x3001_6482,
    idcode_at=(0xE004_4000,),
    boot=0x0800_0000,
    memory=(
        ChipMemory("flash", 0x0800_0000, 0x20_0000, "flash"),
        ChipMemory("sram", 0x2000_0000, 0xC_0000),  # SRAM1, 2 and 3
        ChipMemory("sram4", 0x2800_0000, 0x4000),
    ),
    registers=(
        _RCC,
        _PWR,
        RegisterMap("icache", 0x4003_0400),  # SR: not busy
        RegisterMap("syscfg", 0x4600_0400, clock=Clock(APB3ENR, 1)),
        RegisterMap("iwdg", 0x4000_3000),
        RegisterMap("wwdg", 0x4000_2C00),
        *gpio_ports(0x4202_0000, "abcdefghi", AHB2ENR1, {"a": 0xABFF_FFFF, "b": 0xFFFF_FEBF}),
    ),
    usarts=(
        UsartDescription("usart1", 0x4001_3800, Clock(APB2ENR, 14), fifo=8),
        UsartDescription("usart2", 0x4000_4400, Clock(APB1ENR1, 17), fifo=8),
        UsartDescription("usart3", 0x4000_4800, Clock(APB1ENR1, 18), fifo=8),
    ),
    timer=TimerSpec(0x4000_0000, Clock(APB1ENR1, 0)),
    flash=FlashLayout("u5", 0x4002_2000, (0x2000,) * 256, options=0x1FEF_F8AA),
    clocks=clocks,
    reset_cause=("rcc", CSR, _RESET_CAUSES),
    wiring=Wiring("usart1", "pa9", "pa10"),
)

CHIPS = (_U575,)
