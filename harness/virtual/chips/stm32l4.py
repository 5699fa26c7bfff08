"""STM32L476 and L4R5 (reference manuals RM0351, RM0432)."""

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
AHB2ENR, APB1ENR1, APB1ENR2, APB2ENR, CCIPR, CSR = 0x4C, 0x58, 0x5C, 0x60, 0x88, 0x94

HSI16, LSE = 16_000_000, 32_768
_MSI = (100_000, 200_000, 400_000, 800_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000,
        16_000_000, 24_000_000, 32_000_000, 48_000_000)  # fmt: skip

# Flags of the reset status register
_RESET_CAUSES = {"power": 0x0C00_0000, "brown-out": 0x0800_0000, "pin": 0x0400_0000, "software": 0x1000_0000}

_RCC = RegisterMap(
    "rcc",
    0x4002_1000,
    reset={CR: 0x0000_0061, PLLCFGR: 0x0000_1000, CSR: 0x0C00_0600},
    follows=(
        Follow((CR, 0), (CR, 1)),  # MSION, MSIRDY
        Follow((CR, 8), (CR, 10)),  # HSION, HSIRDY
        Follow((CR, 16), (CR, 17)),  # HSEON, HSERDY
        Follow((CR, 24), (CR, 25)),  # PLLON, PLLRDY
        Follow((CFGR, 0), (CFGR, 2), 2),  # SW, SWS
    ),
)
_PWR = RegisterMap("pwr", 0x4000_7000, reset={0x00: 0x0200, 0x80: 0x0100}, clock=Clock(APB1ENR1, 28))


def _oscillator(read: ReadRegister, select: int, hse: int) -> int:
    """MSI, HSI16 or HSE; 0 where it is off."""
    control = read("rcc", CR)
    if select == 0:
        # MSIRGSEL chooses between CR's range and the 4 MHz that follow a reset
        return _MSI[min(bits(control, 4, 4) if control & 1 << 3 else 6, 11)] if control & 1 else 0
    if select == 1:
        return HSI16 if control & 1 << 8 else 0
    return hse if control & 1 << 16 else 0


def _pll(read: ReadRegister, hse: int) -> int:
    config = read("rcc", PLLCFGR)
    source = bits(config, 0, 2)
    if not read("rcc", CR) & 1 << 24 or not config & 1 << 24 or source == 0:
        return 0
    rate = _oscillator(read, source - 1, hse) // (bits(config, 4, 4) + 1) * bits(config, 8, 7)
    return rate // (2 * bits(config, 25, 2) + 2)


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers."""
    config = read("rcc", CFGR)
    switch = bits(config, 0, 2)
    system = _pll(read, hse) if switch == 3 else _oscillator(read, switch, hse)
    prescaler = bits(config, 4, 4)
    core = system if prescaler < 8 else system // (2, 4, 8, 16, 64, 128, 256, 512)[prescaler - 8]
    halvings = [max(bits(config, low, 3) - 3, 0) for low in (8, 11)]
    apb1, apb2 = (core >> halving for halving in halvings)
    kernel = read("rcc", CCIPR)

    def usart(place: int, bus: int) -> int:
        return (bus, system, _oscillator(read, 1, hse), LSE)[bits(kernel, place, 2)]

    rates = {"usart1": usart(0, apb2), "usart2": usart(2, apb1), "usart3": usart(4, apb1), "lpuart1": usart(10, apb1)}
    return Clocks(core, core if halvings[0] == 0 else 2 * apb1, rates)


def _chip(
    name: str, idcode: int, memory: tuple[ChipMemory, ...], flash: FlashLayout, wiring: Wiring, fifo: int, ports: str
) -> Chip:
    return Chip(
        name=name,
        core="cortex-m4",
        cpuid=0x410F_C241,
        idcode=idcode,
        idcode_at=(0xE004_2000,),
        boot=0x0000_0000,
        memory=memory,
        registers=(
            _RCC,
            _PWR,
            RegisterMap("syscfg", 0x4001_0000, clock=Clock(APB2ENR, 0)),
            RegisterMap("iwdg", 0x4000_3000),
            RegisterMap("wwdg", 0x4000_2C00),
            *gpio_ports(0x4800_0000, ports, AHB2ENR, {"a": 0xABFF_FFFF, "b": 0xFFFF_FEBF}),
        ),
        usarts=(
            UsartDescription("usart1", 0x4001_3800, Clock(APB2ENR, 14), fifo),
            UsartDescription("usart2", 0x4000_4400, Clock(APB1ENR1, 17), fifo),
            UsartDescription("usart3", 0x4000_4800, Clock(APB1ENR1, 18), fifo),
            UsartDescription("lpuart1", 0x4000_8000, Clock(APB1ENR2, 0), fifo, low_power=True, function=8),
        ),
        timer=TimerSpec(0x4000_0000, Clock(APB1ENR1, 0)),
        flash=flash,
        clocks=clocks,
        reset_cause=("rcc", CSR, _RESET_CAUSES),
        wiring=wiring,
    )


_L476 = _chip(
    "stm32l476",
    0x1007_6415,
    (
        ChipMemory("flash", 0x0800_0000, 0x10_0000, "flash"),
        ChipMemory("flash-boot", 0x0000_0000, 0x10_0000, "flash", alias_of="flash"),
        ChipMemory("sram1", 0x2000_0000, 0x1_8000),
        ChipMemory("sram2", 0x1000_0000, 0x8000),
    ),
    FlashLayout("l4", 0x4002_2000, (0x800,) * 512, options=0xFFEF_F8AA),
    Wiring("usart2", "pa2", "pa3"),
    1,
    "abcdefgh",
)
_L4R5 = _chip(
    "stm32l4r5",
    0x1000_6470,
    (
        ChipMemory("flash", 0x0800_0000, 0x20_0000, "flash"),
        ChipMemory("flash-boot", 0x0000_0000, 0x20_0000, "flash", alias_of="flash"),
        ChipMemory("sram1", 0x2000_0000, 0x3_0000),
        ChipMemory("sram2", 0x1000_0000, 0x1_0000),
        ChipMemory("sram2-after", 0x2003_0000, 0x1_0000, alias_of="sram2"),
        ChipMemory("sram3", 0x2004_0000, 0x6_0000),
    ),
    FlashLayout("l4", 0x4002_2000, (0x1000,) * 512, options=0xFFEF_F8AA),
    Wiring("lpuart1", "pg7", "pg8"),
    8,
    "abcdefghi",
)

CHIPS = (_L476, _L4R5)
