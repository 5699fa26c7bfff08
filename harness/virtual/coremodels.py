"""What differs between the cores that are emulated: fault handling, debug components, and their identities.

Architecture reference manuals of Armv6-M (DDI 0419), Armv7-M (DDI 0403) and Armv8-M (DDI 0553), and the technical
reference manuals of the cores.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import BoardError


@dataclass(frozen=True)
class Component:
    """Identity of a debug component: its part number, and DEVARCH (0 where it has none)."""

    part: int
    architecture: int = 0


@dataclass(frozen=True)
class CoreModel:
    """A core.

    Attributes:
        emulated: its name in Unicorn, UC_CPU_ARM_...
        control, counter, breakpoints, table: identities of SCS, DWT, FPB or BPU, and of the ROM table.
        breakpoint_count: number of comparators.
        breakpoint_version: 1 where two of a word's halfwords are chosen by bits, 2 where the address is whole.
        baseline: Armv6-M: every fault is a HardFault without a cause, no cycle counter, no access that is not aligned.
        mpu_regions: number of the MPU's regions.
        has_fpu: single precision.
        exception_return: bits of EXC_RETURN but those of mode, stack and frame.
        locked_counter: the cycle counter is locked until it is given a key.
        cache: CCSIDR of the data cache; 0 where there is none.
        debug_port: DPIDR; access_port: IDR of the AHB-AP.
    """

    emulated: str
    control: Component
    counter: Component
    breakpoints: Component
    table: Component
    breakpoint_count: int
    breakpoint_version: int = 1
    baseline: bool = False
    mpu_regions: int = 8
    has_fpu: bool = True
    exception_return: int = 0xFFFF_FFE1
    locked_counter: bool = False
    cache: int = 0
    debug_port: int = 0x6BA0_2477
    access_port: int = 0x8477_0001


MODELS = {
    "cortex-m0plus": CoreModel(
        emulated="CORTEX_M0",
        control=Component(0x008),
        counter=Component(0x00A),
        breakpoints=Component(0x00B),
        table=Component(0x4C0),
        breakpoint_count=4,
        baseline=True,
        has_fpu=False,
        debug_port=0x0BC1_1477,
        access_port=0x0477_0031,
    ),
    "cortex-m4": CoreModel(
        emulated="CORTEX_M4",
        control=Component(0x00C),
        counter=Component(0x002),
        breakpoints=Component(0x003),
        table=Component(0x4C4),
        breakpoint_count=6,
    ),
    "cortex-m7": CoreModel(
        emulated="CORTEX_M7",
        control=Component(0x00C),
        counter=Component(0x002),
        breakpoints=Component(0x00E),
        table=Component(0x4C8),
        breakpoint_count=8,
        breakpoint_version=2,
        locked_counter=True,
        cache=0xF00F_E019,  # 128 sets, 4 ways, lines of 32 bytes
    ),
    # Without the Security Extension, or with it turned off (TZEN of an STM32U5)
    "cortex-m33": CoreModel(
        emulated="CORTEX_M33",
        control=Component(0xD21, 0x4770_2A04),
        counter=Component(0xD21, 0x4770_1A02),
        breakpoints=Component(0xD21, 0x4770_1A03),
        table=Component(0x4C9),
        breakpoint_count=8,
        breakpoint_version=2,
        exception_return=0xFFFF_FFA0,
    ),
}


def find_model(core: str) -> CoreModel:
    """The model of a core.

    Raises:
        BoardError: it is not emulated.
    """
    model = MODELS.get(core)
    if model is None:
        raise BoardError(f"the virtual board has no {core}", hint="it has: " + ", ".join(MODELS))
    return model
