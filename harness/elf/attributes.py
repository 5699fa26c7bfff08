"""What an ELF file's build attributes say of the core: Arm, ABI for the Arm architecture, Addenda (2022), chapter 3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.elf.reader import open_elf

_SECTION = ".ARM.attributes"
_ARCHITECTURES = {11: "v6-M", 12: "v6-M", 10: "v7-M", 13: "v7E-M", 16: "v8-M.base", 17: "v8-M.main", 21: "v8.1-M.main"}
_FPUS = {5: "FPv4", 6: "FPv4", 7: "FPv5", 8: "FPv5"}
_V7E_M = 13
_SINGLE_ONLY = 1
_DOUBLE = (7, 8)
"""Tag_FP_arch of FPUs that may have double precision: FPv5, unless Tag_ABI_HardFP_use says single only."""


@dataclass(frozen=True)
class BuildAttributes:
    """What code was compiled for.

    Attributes:
        architecture: "v7E-M" and so on; "" where it is not told, or none of a Cortex-M.
        fpu: "FPv4" and so on; "" without one.
        features: names as harness.relocatable.numbers.FEATURES has them.
    """

    architecture: str
    fpu: str
    features: frozenset[str]


def read_attributes(path: Path) -> BuildAttributes:
    """The attributes of an object or image.

    Raises:
        ImageFileError: the file cannot be read.
    """
    tags: dict[str, int] = {}
    with open_elf(path) as elf:
        section = elf.get_section_by_name(_SECTION)
        for subsection in section.iter_subsections() if section is not None else ():
            for part in subsection.iter_subsubsections():
                tags |= {one.tag: one.value for one in part.iter_attributes() if isinstance(one.value, int)}
    architecture = tags.get("TAG_CPU_ARCH", 0)
    unit = tags.get("TAG_FP_ARCH", 0)
    vector = tags.get("TAG_MVE_ARCH", 0)
    told = {
        "dsp": architecture == _V7E_M or tags.get("TAG_DSP_EXTENSION", 0) > 0,
        "fpu_single": unit > 0,
        "fpu_double": unit in _DOUBLE and tags.get("TAG_ABI_HARDFP_USE", 0) != _SINGLE_ONLY,
        "mve_integer": vector > 0,
        "mve_float": vector > 1,
        "hard_float_abi": tags.get("TAG_ABI_VFP_ARGS", 0) == 1,
    }
    return BuildAttributes(
        architecture=_ARCHITECTURES.get(architecture, ""),
        fpu=_FPUS.get(unit, ""),
        features=frozenset(name for name, has in told.items() if has),
    )
