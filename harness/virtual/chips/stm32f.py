"""Common parts of STM32F4 and F7: clock and power controllers, pins (reference manuals RM0390, RM0385, RM0410)."""

from __future__ import annotations

from dataclasses import dataclass

from harness.virtual.chip import Clock, Follow, ReadRegister, RegisterMap, bits, gpio_ports

# RCC: offsets of registers
CR, PLLCFGR, CFGR, AHB1ENR, APB1ENR, APB2ENR, CSR = 0x00, 0x04, 0x08, 0x30, 0x40, 0x44, 0x74

HSI, LSE = 16_000_000, 32_768

# Flags of the reset status register
RESET_CAUSES = {"power": 0x0E00_0000, "brown-out": 0x0200_0000, "pin": 0x0400_0000, "software": 0x1000_0000}

RCC = RegisterMap(
    "rcc",
    0x4002_3800,
    reset={CR: 0x0000_0081, PLLCFGR: 0x2400_3010, AHB1ENR: 0x0010_0000, CSR: 0x0E00_0000},
    follows=(
        Follow((CR, 0), (CR, 1)),  # HSION, HSIRDY
        Follow((CR, 16), (CR, 17)),  # HSEON, HSERDY
        Follow((CR, 24), (CR, 25)),  # PLLON, PLLRDY
        Follow((CFGR, 0), (CFGR, 2), 2),  # SW, SWS
    ),
)
PWR = RegisterMap(
    "pwr",
    0x4000_7000,
    reset={0x00: 0x0000_C000},
    follows=(Follow((0x00, 16), (0x04, 16), 2),),  # ODEN, ODSWEN; ODRDY, ODSWRDY
    always={0x04: 1 << 14},  # VOSRDY
    clock=Clock(APB1ENR, 28),
)
WATCHDOGS = (RegisterMap("iwdg", 0x4000_3000), RegisterMap("wwdg", 0x4000_2C00))
SYSCFG = RegisterMap("syscfg", 0x4001_3800, clock=Clock(APB2ENR, 14))


def pins(letters: str) -> tuple[RegisterMap, ...]:
    """GPIO ports; the debug pins have their alternate function after reset."""
    return gpio_ports(0x4002_0000, letters, AHB1ENR, {"a": 0xA800_0000, "b": 0x0000_0280}, other=0)


@dataclass(frozen=True)
class ClockTree:
    """Rates of the system clock, the core, both peripheral buses and TIM2."""

    system: int
    core: int
    apb1: int
    apb2: int
    timer: int


def tree(read: ReadRegister, hse: int) -> ClockTree:
    """The clock tree from the RCC's registers."""
    config = read("rcc", CFGR)
    switch = bits(config, 0, 2)
    system = _pll(read, hse) if switch == 2 else oscillator(read, switch, hse)
    prescaler = bits(config, 4, 4)
    core = system if prescaler < 8 else system // (2, 4, 8, 16, 64, 128, 256, 512)[prescaler - 8]
    halvings = [max(bits(config, low, 3) - 3, 0) for low in (10, 13)]
    apb1, apb2 = (core >> halving for halving in halvings)
    return ClockTree(system, core, apb1, apb2, core if halvings[0] == 0 else 2 * apb1)


def oscillator(read: ReadRegister, select: int, hse: int) -> int:
    """HSI or HSE; 0 where it is off."""
    if select == 0:
        return HSI if read("rcc", CR) & 1 else 0
    return hse if read("rcc", CR) & 1 << 16 else 0


def _pll(read: ReadRegister, hse: int) -> int:
    config = read("rcc", PLLCFGR)
    divider = bits(config, 0, 6)
    if not read("rcc", CR) & 1 << 24 or divider < 2:
        return 0
    return oscillator(read, bits(config, 22, 1), hse) * bits(config, 6, 9) // divider // (2 * bits(config, 16, 2) + 2)
