"""STM32G0B1 (reference manual RM0444)."""

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
CR, CFGR, PLLCFGR = 0x00, 0x08, 0x0C
IOPENR, APBENR1, APBENR2, CCIPR, CSR = 0x34, 0x3C, 0x40, 0x54, 0x60

HSI16, LSI, LSE = 16_000_000, 32_000, 32_768

# Flags of the reset status register
_RESET_CAUSES = {"power": 0x0C00_0000, "brown-out": 0x0800_0000, "pin": 0x0400_0000, "software": 0x1000_0000}

_RCC = RegisterMap(
    "rcc",
    0x4002_1000,
    reset={CR: 0x0000_0100, PLLCFGR: 0x0000_1000, 0x38: 0x0000_0100, CSR: 0x0C00_0000},
    follows=(
        Follow((CR, 8), (CR, 10)),  # HSION, HSIRDY
        Follow((CR, 16), (CR, 17)),  # HSEON, HSERDY
        Follow((CR, 24), (CR, 25)),  # PLLON, PLLRDY
        Follow((CFGR, 0), (CFGR, 3), 3),  # SW, SWS
    ),
)
# CR1 after reset: range 1
_PWR = RegisterMap("pwr", 0x4000_7000, reset={0x00: 0x0208}, clock=Clock(APBENR1, 28))


def _hsi(read: ReadRegister) -> int:
    return HSI16 if read("rcc", CR) & 1 << 8 else 0


def _pll(read: ReadRegister, hse: int) -> int:
    """PLLRCLK."""
    config, control = read("rcc", PLLCFGR), read("rcc", CR)
    source = {2: _hsi(read), 3: hse if control & 1 << 16 else 0}.get(bits(config, 0, 2), 0)
    if not control & 1 << 24 or not config & 1 << 28:
        return 0
    return source // (bits(config, 4, 3) + 1) * bits(config, 8, 7) // (bits(config, 29, 3) + 1)


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers."""
    config = read("rcc", CFGR)
    switch = bits(config, 0, 3)
    system = {
        0: _hsi(read) >> bits(read("rcc", CR), 11, 3),
        1: hse if read("rcc", CR) & 1 << 16 else 0,
        2: _pll(read, hse),
        3: LSI,
        4: LSE,
    }.get(switch, 0)
    prescaler, halving = bits(config, 8, 4), max(bits(config, 12, 3) - 3, 0)
    core = system if prescaler < 8 else system // (2, 4, 8, 16, 64, 128, 256, 512)[prescaler - 8]
    bus = core >> halving
    kernel = read("rcc", CCIPR)

    def usart(place: int) -> int:
        return (bus, system, _hsi(read), LSE)[bits(kernel, place, 2)]

    rates = {"usart1": usart(0), "usart2": usart(2), "usart3": usart(4)}
    return Clocks(core, bus if halving == 0 else 2 * bus, rates)


_G0B1 = Chip(
    name="stm32g0b1",
    core="cortex-m0plus",
    cpuid=0x410C_C601,
    idcode=0x1000_6467,
    idcode_at=(0x4001_5800,),
    boot=0x0000_0000,
    memory=(
        ChipMemory("flash", 0x0800_0000, 0x8_0000, "flash"),
        ChipMemory("flash-boot", 0x0000_0000, 0x8_0000, "flash", alias_of="flash"),
        ChipMemory("sram", 0x2000_0000, 0x2_4000),
    ),
    registers=(
        _RCC,
        _PWR,
        RegisterMap("syscfg", 0x4001_0000, clock=Clock(APBENR2, 0)),
        RegisterMap("iwdg", 0x4000_3000),
        RegisterMap("wwdg", 0x4000_2C00),
        *gpio_ports(0x5000_0000, "abcdef", IOPENR, {"a": 0xEBFF_FFFF}),
    ),
    usarts=(
        UsartDescription("usart1", 0x4001_3800, Clock(APBENR2, 14), fifo=8, function=1),
        UsartDescription("usart2", 0x4000_4400, Clock(APBENR1, 17), fifo=8, function=1),
        UsartDescription("usart3", 0x4000_4800, Clock(APBENR1, 18), fifo=8, function=4),
    ),
    timer=TimerSpec(0x4000_0000, Clock(APBENR1, 0), follower=(0x4000_0400, Clock(APBENR1, 1), 1)),
    flash=FlashLayout("g0", 0x4002_2000, (0x800,) * 256, options=0xFFFF_FEAA),
    clocks=clocks,
    reset_cause=("rcc", CSR, _RESET_CAUSES),
    wiring=Wiring("usart2", "pa2", "pa3"),
)

CHIPS = (_G0B1,)
