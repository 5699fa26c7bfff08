"""STM32H743 and H7A3 (reference manuals RM0433, RM0455)."""

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

# RCC: offsets of registers; the H7A3 calls D1CFGR, D2CFGR, D2CCIP2R by other names
CR, CFGR, D1CFGR, D2CFGR = 0x00, 0x10, 0x18, 0x1C
PLLCKSELR, PLLCFGR, PLL1DIVR, PLL1FRACR, D2CCIP2R = 0x28, 0x2C, 0x30, 0x34, 0x54
RSR, AHB4ENR, APB1LENR, APB2ENR, APB4ENR = 0xD0, 0xE0, 0xE8, 0xF0, 0xF4
# The H7A3 has these elsewhere
_H7A3_SHIFT = 0x60

HSI, CSI, LSE = 64_000_000, 4_000_000, 32_768

# Flags of the reset status register
_RESET_CAUSES = {"power": 0x00FE_0000, "brown-out": 0x0020_0000, "pin": 0x0040_0000, "software": 0x0100_0000}

_RCC_RESET = {CR: 0x0000_0001, PLLCKSELR: 0x0202_0200, PLLCFGR: 0x01FF_0000, PLL1DIVR: 0x0101_0280}
_RCC_FOLLOWS = (
    Follow((CR, 0), (CR, 2)),  # HSION, HSIRDY
    Follow((CR, 7), (CR, 8)),  # CSION, CSIRDY
    Follow((CR, 12), (CR, 13)),  # HSI48
    Follow((CR, 16), (CR, 17)),  # HSEON, HSERDY
    Follow((CR, 24), (CR, 25)),  # PLL1ON, PLL1RDY
    Follow((CR, 26), (CR, 27)),  # PLL2
    Follow((CR, 28), (CR, 29)),  # PLL3
    Follow((CFGR, 0), (CFGR, 3), 3),  # SW, SWS
)
_PWR = RegisterMap(
    "pwr",
    0x5802_4800,
    reset={0x00: 0xF000_C000, 0x0C: 0x0000_0006, 0x18: 0x0000_4000},  # CR1, CR3, D3CR (VOS3)
    # ACTVOSRDY and ACTVOS of CSR1 follow VOS of D3CR; VOSRDY is up at once
    follows=(Follow((0x18, 14), (0x04, 14), 2),),
    always={0x04: 1 << 13, 0x18: 1 << 13},
)


def _oscillator(read: ReadRegister, select: int, hse: int) -> int:
    """hsi_ck, csi_ck or hse_ck; 0 where it is off."""
    control = read("rcc", CR)
    if select == 0:
        return HSI >> bits(control, 3, 2) if control & 1 else 0
    if select == 1:
        return CSI if control & 1 << 7 else 0
    return hse if control & 1 << 16 else 0


def _pll1_p(read: ReadRegister, hse: int) -> int:
    source = bits(read("rcc", PLLCKSELR), 0, 2)
    divider = bits(read("rcc", PLLCKSELR), 4, 6)
    config, dividers = read("rcc", PLLCFGR), read("rcc", PLL1DIVR)
    if source == 3 or divider == 0 or not read("rcc", CR) & 1 << 24 or not config & 1 << 16:
        return 0
    fraction = bits(read("rcc", PLL1FRACR), 3, 13) if config & 1 else 0
    vco = _oscillator(read, source, hse) * (8192 * (bits(dividers, 0, 9) + 1) + fraction) // (divider * 8192)
    return vco // (bits(dividers, 9, 7) + 1)


def _divided(rate: int, prescaler: int) -> int:
    """HPRE and D1CPRE: 1 below 8, then 2, 4, 8, 16, 64, ..., 512."""
    return rate if prescaler < 8 else rate // (2, 4, 8, 16, 64, 128, 256, 512)[prescaler - 8]


def _bus(rate: int, prescaler: int) -> int:
    """DxPPRE: 1 below 4, then 2, 4, 8, 16."""
    return rate if prescaler < 4 else rate >> prescaler - 3


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers."""
    switch = bits(read("rcc", CFGR), 0, 3)
    system = _pll1_p(read, hse) if switch == 3 else _oscillator(read, switch, hse)
    core = _divided(system, bits(read("rcc", D1CFGR), 8, 4))
    ahb = _divided(core, bits(read("rcc", D1CFGR), 0, 4))
    apb1 = _bus(ahb, bits(read("rcc", D2CFGR), 4, 3))
    apb2 = _bus(ahb, bits(read("rcc", D2CFGR), 8, 3))
    kernel = read("rcc", D2CCIP2R)

    def usart(select: int, bus: int) -> int:
        if select == 0:
            return bus
        return {3: _oscillator(read, 0, hse), 4: _oscillator(read, 1, hse), 5: LSE}.get(select, 0)

    timer = ahb if bits(read("rcc", D2CFGR), 4, 3) < 4 else 2 * apb1
    return Clocks(core, timer, {"usart1": usart(bits(kernel, 3, 3), apb2), "usart3": usart(bits(kernel, 0, 3), apb1)})


def _chip(name: str, idcode: int, memory: tuple[ChipMemory, ...], flash: FlashLayout, shift: int) -> Chip:
    """shift: of the RCC's enable and reset status registers, from where the H743 has them."""
    return Chip(
        name=name,
        core="cortex-m7",
        cpuid=0x411F_C271,
        idcode=idcode,
        idcode_at=(0x5C00_1000, 0xE00E_1000),
        boot=0x0800_0000,
        memory=memory,
        registers=(
            RegisterMap(
                "rcc",
                0x5802_4400,
                reset={**_RCC_RESET, RSR + shift: 0x00FE_0000},
                follows=_RCC_FOLLOWS,
                always={CR: 0x0000_C020},  # D1CKRDY, D2CKRDY, HSIDIVF
            ),
            _PWR,
            RegisterMap("syscfg", 0x5800_0400, clock=Clock(APB4ENR + shift, 1)),
            # pyOCD's flash algorithms set the watchdogs to their longest, or feed them
            RegisterMap("iwdg1", 0x5800_4800),
            RegisterMap("iwdg2", 0x5800_4C00),
            RegisterMap("wwdg1", 0x5000_3000),
            RegisterMap("wwdg2", 0x4000_2C00),
            *gpio_ports(0x5802_0000, "abcdefghijk", AHB4ENR + shift, {"a": 0xABFF_FFFF, "b": 0xFFFF_FEBF}),
        ),
        usarts=(
            UsartDescription("usart1", 0x4001_1000, Clock(APB2ENR + shift, 4), fifo=16),
            UsartDescription("usart3", 0x4000_4800, Clock(APB1LENR + shift, 18), fifo=16),
        ),
        timer=TimerSpec(0x4000_0000, Clock(APB1LENR + shift, 0)),
        flash=flash,
        clocks=clocks,
        reset_cause=("rcc", RSR + shift, _RESET_CAUSES),
        wiring=Wiring("usart3", "pd8", "pd9"),
    )


_CORE_MEMORY = (
    ChipMemory("itcm", 0x0000_0000, 0x1_0000),
    ChipMemory("flash", 0x0800_0000, 0x20_0000, "flash"),
    ChipMemory("dtcm", 0x2000_0000, 0x2_0000),
)
_H743 = _chip(
    "stm32h743",
    0x2003_6450,
    (
        *_CORE_MEMORY,
        ChipMemory("axi", 0x2400_0000, 0x8_0000),
        ChipMemory("sram1", 0x3000_0000, 0x2_0000),
        ChipMemory("sram2", 0x3002_0000, 0x2_0000),
        ChipMemory("sram3", 0x3004_0000, 0x8000),
        ChipMemory("sram4", 0x3800_0000, 0x1_0000),
    ),
    FlashLayout("h7", 0x5200_2000, (0x2_0000,) * 16, options=0x1FC6_AAF0),
    0,
)
_H7A3 = _chip(
    "stm32h7a3",
    0x1000_6480,
    (
        *_CORE_MEMORY,
        ChipMemory("axi", 0x2400_0000, 0x10_0000),
        ChipMemory("ahb", 0x3000_0000, 0x2_0000),
        ChipMemory("srd", 0x3800_0000, 0x8000),
    ),
    FlashLayout("h7a", 0x5200_2000, (0x2000,) * 256, options=0x1006_AAF0),
    _H7A3_SHIFT,
)

CHIPS = (_H743, _H7A3)
