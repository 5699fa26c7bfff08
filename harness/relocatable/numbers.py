"""The numbers of the format; each stands once, in firmware/relocatable/tinyhil_relocatable_format.h."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from harness import resources
from harness.errors import ToolError
from harness.quantization.types import DType

HEADER = "tinyhil_relocatable_format.h"
FEATURES = ("dsp", "fpu_single", "fpu_double", "mve_integer", "mve_float", "hard_float_abi")
"""Names of the feature bits, as the header has them in capitals."""

_DEFINE = re.compile(r"^#define TINYHIL_RELOC_(\w+) (0x[0-9A-F]+|[0-9]+)U(?=\s|$)", re.MULTILINE)


def number(name: str) -> int:
    """A number of the header, by its name without TINYHIL_RELOC_.

    Raises:
        ToolError: the header, or the number in it, is missing.
    """
    found = _numbers().get(name)
    if found is None:
        raise ToolError(f"firmware/relocatable/{HEADER} defines no number {name}", hint="reinstall tinyhil")
    return found


@cache
def _numbers() -> Mapping[str, int]:
    path = resources.firmware() / "relocatable" / HEADER
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ToolError(f"{path}: {error.strerror}", hint="reinstall tinyhil: a file of it is missing") from error
    return {name: int(digits, 0) for name, digits in _DEFINE.findall(text)}


@cache
def cores() -> Mapping[str, int]:
    """Part numbers in CPUID by the cores' names: "cortex-m4" -> 0xC24."""
    prefix = "CORTEX_"
    return {
        f"cortex-{name[len(prefix) :].lower()}": part for name, part in _numbers().items() if name.startswith(prefix)
    }


@cache
def feature_bits() -> Mapping[str, int]:
    """Feature bits by name."""
    return {name: number(name.upper()) for name in FEATURES}


@cache
def type_numbers() -> Mapping[DType, int]:
    """Numbers of the element types."""
    return {dtype: number(dtype.value.upper()) for dtype in DType}
