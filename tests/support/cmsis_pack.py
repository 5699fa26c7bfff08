"""CMSIS packs made for tests: pyOCD's own code loads them and runs their flash algorithms on the emulated core.

A pack of the chip's maker has the same parts: a description, and for each flash an algorithm as an ELF file
(CMSIS-Pack, "Flash programming algorithms"). Here it is compiled from ALGORITHM, written after the reference manuals.
"""

from __future__ import annotations

import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from harness.build.toolchain import find

# STM32 G0 (RM0444) and U5 (RM0456), chapters FLASH: KEYR 0x08, CR_PG, CR_PER and page, CR_STRT, SR with BSY 0x10000
ALGORITHM = """
#include <stdint.h>
#define R(offset) (*(volatile uint32_t *)(0x40022000u + (offset)))
#define ERRORS 0x000003FAu
#define BUSY 0x00070000u
__attribute__((section("DevDscr"), used)) const struct {
    uint16_t version; char name[128]; uint16_t type; uint32_t start, size, page, reserved; uint8_t empty;
    uint32_t program_ms, erase_ms, sector, at, end, end_at;
} FlashDevice = {0x101, "test", 1, 0x08000000u, SIZE, 1024, 0, 0xFF, 1000, 3000, SECTOR, 0, 0xFFFFFFFFu, 0xFFFFFFFFu};
static int settle(void) { while ((R(SR) & BUSY) != 0u) {} return (R(SR) & ERRORS) != 0u; }
int Init(uint32_t at, uint32_t clock, uint32_t what)
{
    (void)at; (void)clock; (void)what;
    if ((R(CR) & 0x80000000u) != 0u) { R(0x08) = 0x45670123u; R(0x08) = 0xCDEF89ABu; }
    R(SR) = ERRORS | 1u;
    return 0;
}
int UnInit(uint32_t what) { (void)what; R(CR) = 0x80000000u; return 0; }
int EraseSector(uint32_t at)
{
    uint32_t offset = at - 0x08000000u;
    uint32_t bank = offset >= SIZE / 2u ? BKER : 0u;
    R(CR) = 2u | bank | ((offset % (SIZE / 2u)) / SECTOR << 3);
    R(CR) |= 0x10000u;
    return settle();
}
int ProgramPage(uint32_t at, uint32_t size, const uint32_t *words)
{
    volatile uint32_t *to = (volatile uint32_t *)at;
    int failed = 0;
    R(CR) = 1u;
    for (uint32_t done = 0; done < size && !failed; done += UNIT) {
        for (uint32_t i = 0; i < UNIT / 4u; i++) { *to++ = done + 4u * i < size ? *words++ : 0xFFFFFFFFu; }
        failed = settle();
    }
    R(CR) = 0;
    return failed;
}
"""


@dataclass(frozen=True)
class Packed:
    """A chip: pyOCD's name of the target, its core as GCC and CMSIS name it, and what the algorithm needs."""

    target: str
    core: str
    description: str
    flash: int
    ram: int
    sector: int
    unit: int
    status: int
    control: int
    bank: int


PACKED = {
    "nucleo-g0b1": Packed(
        "STM32G0B1RETx", "cortex-m0plus", "Cortex-M0+", 0x8_0000, 0x2_4000, 0x800, 8, 0x10, 0x14, 1 << 13
    ),
    "nucleo-u575": Packed(
        "STM32U575ZITxQ", "cortex-m33", "Cortex-M33", 0x20_0000, 0xC_0000, 0x2000, 16, 0x20, 0x28, 1 << 11
    ),
}

_DESCRIPTION = """<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.2" xmlns:xs="http://www.w3.org/2001/XMLSchema-instance">
  <vendor>tinyhil</vendor><name>{name}</name><description>made for a test</description>
  <releases><release version="1.0.0">made for a test</release></releases>
  <devices>
    <family Dfamily="test" Dvendor="STMicroelectronics:13">
      <processor Dcore="{core}" Dfpu="NO_FPU" Dmpu="MPU" Dendian="Little-endian"/>
      <device Dname="{target}">
        <debug __dp="0" __ap="0"/>
        <memory id="IROM1" start="0x08000000" size="{flash:#x}" startup="1" default="1"/>
        <memory id="IRAM1" start="0x20000000" size="{ram:#x}" default="1"/>
        <algorithm name="Flash/test.FLM" start="0x08000000" size="{flash:#x}" default="1"/>
      </device>
    </family>
  </devices>
</package>
"""
_SECTIONS = """SECTIONS {
  PrgCode 0 : { *(.text*) *(.rodata*) }
  PrgData : { *(.data*) *(.bss*) }
  DevDscr 0x10000 : { KEEP(*(DevDscr)) }
}
"""


def make_pack(board: str, folder: Path) -> Path:
    """A pack with the target of a board."""
    chip = PACKED[board]
    folder.mkdir(parents=True, exist_ok=True)
    pack = folder / f"tinyhil.{chip.target}.1.0.0.pack"
    if pack.exists():
        return pack
    source, script, algorithm = folder / "algorithm.c", folder / "algorithm.ld", folder / "algorithm.elf"
    source.write_text(ALGORITHM)
    script.write_text(_SECTIONS)
    numbers = {
        "SIZE": chip.flash, "SECTOR": chip.sector, "UNIT": chip.unit, "SR": chip.status, "CR": chip.control,
        "BKER": chip.bank,
    }  # fmt: skip
    command = [str(find("arm").cc), f"-mcpu={chip.core}", "-mthumb", "-mfloat-abi=soft", "-Os", "-ffreestanding"]
    command += ["-nostdlib", "-Wl,-eInit", f"-Wl,-T{script}"]
    command += [f"-D{name}={value:#x}u" for name, value in numbers.items()]
    command += [str(source), "-lgcc", "-o", str(algorithm)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(pack, "w") as archive:
        text = _DESCRIPTION.format(
            name=chip.target, core=chip.description, target=chip.target, flash=chip.flash, ram=chip.ram
        )
        archive.writestr(f"tinyhil.{chip.target}.pdsc", text)
        archive.write(algorithm, "Flash/test.FLM")
    return pack
