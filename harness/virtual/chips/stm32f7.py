"""STM32F746 and F767 (reference manuals RM0385, RM0410)."""

from __future__ import annotations

from harness.virtual.chip import (
    Chip,
    Clock,
    Clocks,
    FlashLayout,
    Follow,
    Memory,
    ReadRegister,
    Registers,
    Timer,
    Usart,
    Wiring,
    bits,
    gpio_ports,
)

# RCC: offsets of registers
CR, PLLCFGR, CFGR, AHB1ENR, APB1ENR, APB2ENR, CSR, DCKCFGR2 = 0x00, 0x04, 0x08, 0x30, 0x40, 0x44, 0x74, 0x90

HSI, LSE = 16_000_000, 32_768

# Flags of the reset status register
_RESET_CAUSES = {"power": 0x0E00_0000, "brown-out": 0x0200_0000, "pin": 0x0400_0000, "software": 0x1000_0000}

_RCC = Registers(
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
_PWR = Registers(
    "pwr",
    0x4000_7000,
    reset={0x00: 0x0000_C000},
    follows=(Follow((0x00, 16), (0x04, 16), 2),),  # ODEN, ODSWEN; ODRDY, ODSWRDY
    always={0x04: 1 << 14},  # VOSRDY
    clock=Clock(APB1ENR, 28),
)


def _oscillator(read: ReadRegister, select: int, hse: int) -> int:
    """HSI or HSE; 0 where it is off."""
    if select == 0:
        return HSI if read("rcc", CR) & 1 else 0
    return hse if read("rcc", CR) & 1 << 16 else 0


def _pll(read: ReadRegister, hse: int) -> int:
    config = read("rcc", PLLCFGR)
    divider = bits(config, 0, 6)
    if not read("rcc", CR) & 1 << 24 or divider < 2:
        return 0
    return _oscillator(read, bits(config, 22, 1), hse) * bits(config, 6, 9) // divider // (2 * bits(config, 16, 2) + 2)


def clocks(read: ReadRegister, hse: int) -> Clocks:
    """The clock tree from the RCC's registers."""
    config = read("rcc", CFGR)
    switch = bits(config, 0, 2)
    system = _pll(read, hse) if switch == 2 else _oscillator(read, switch, hse)
    prescaler = bits(config, 4, 4)
    core = system if prescaler < 8 else system // (2, 4, 8, 16, 64, 128, 256, 512)[prescaler - 8]
    halvings = [max(bits(config, low, 3) - 3, 0) for low in (10, 13)]
    apb1, apb2 = (core >> halving for halving in halvings)
    kernel = read("rcc", DCKCFGR2)

    def usart(place: int, bus: int) -> int:
        return (bus, system, _oscillator(read, 0, hse), LSE)[bits(kernel, place, 2)]

    timer = core if halvings[0] == 0 else 2 * apb1
    return Clocks(core, timer, {"usart1": usart(0, apb2), "usart2": usart(2, apb1), "usart3": usart(4, apb1)})


def _chip(name: str, idcode: int, memory: tuple[Memory, ...], flash: FlashLayout, cpuid: int) -> Chip:
    return Chip(
        name=name,
        core="cortex-m7",
        cpuid=cpuid,
        idcode=idcode,
        idcode_at=(0xE004_2000,),
        boot=0x0020_0000,  # the flash on the ITCM bus: BOOT_ADD0 as delivered
        memory=memory,
        registers=(
            _RCC,
            _PWR,
            Registers("syscfg", 0x4001_3800, clock=Clock(APB2ENR, 14)),
            Registers("iwdg", 0x4000_3000),
            Registers("wwdg", 0x4000_2C00),
            *gpio_ports(0x4002_0000, "abcdefghijk", AHB1ENR, {"a": 0xA800_0000, "b": 0x0000_0280}, other=0),
        ),
        usarts=(
            Usart("usart1", 0x4001_1000, Clock(APB2ENR, 4)),
            Usart("usart2", 0x4000_4400, Clock(APB1ENR, 17)),
            Usart("usart3", 0x4000_4800, Clock(APB1ENR, 18)),
        ),
        timer=Timer(0x4000_0000, Clock(APB1ENR, 0)),
        flash=flash,
        clocks=clocks,
        reset_cause=("rcc", CSR, _RESET_CAUSES),
        wiring=Wiring("usart3", "pd8", "pd9"),
    )


_F746 = _chip(
    "stm32f746",
    0x1001_6449,
    (
        Memory("itcm", 0x0000_0000, 0x4000),
        Memory("flash", 0x0800_0000, 0x10_0000, "flash"),
        Memory("flash-itcm", 0x0020_0000, 0x10_0000, "flash", alias_of="flash"),
        Memory("dtcm", 0x2000_0000, 0x1_0000),
        Memory("sram", 0x2001_0000, 0x4_0000),
    ),
    FlashLayout("f7", 0x4002_3C00, (0x8000,) * 4 + (0x2_0000,) + (0x4_0000,) * 3, options=0xC0FF_AAFD),
    0x410F_C271,
)
_F767 = _chip(
    "stm32f767",
    0x1001_6451,
    (
        Memory("itcm", 0x0000_0000, 0x4000),
        Memory("flash", 0x0800_0000, 0x20_0000, "flash"),
        Memory("flash-itcm", 0x0020_0000, 0x20_0000, "flash", alias_of="flash"),
        Memory("dtcm", 0x2000_0000, 0x2_0000),
        Memory("sram", 0x2002_0000, 0x6_0000),
    ),
    # one bank: nDBANK
    FlashLayout("f7", 0x4002_3C00, (0x8000,) * 4 + (0x2_0000,) + (0x4_0000,) * 7, options=0xFFFF_AAFD),
    0x411F_C270,
)

CHIPS = (_F746, _F767)
