"""The cores that code is generated for, one record each; other packages add cores by entry points "tinyhil.cores"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from harness.errors import CompileError
from harness.plugins import Table


@dataclass(frozen=True)
class Core:
    """A core. Its compiler flags stand in the port, its cost coefficients and cycle tables in harness/data.

    Attributes:
        features: what kernels may ask for: "registers", more than eight that every instruction can use; "dsp", the DSP
            extension; "mve"; "dual-issue", a pipeline that issues two instructions per cycle in order, for which there
            are inner loops of their own.
        nearest: cores whose cost coefficients are used where it has none, in order.
        assembler: options of the GNU assembler for loops that calibrate the cycle model; none where there is no model.
        unicorn: its name in Unicorn, UC_CPU_ARM_...; None where Unicorn does not emulate it.
    """

    features: frozenset[str]
    nearest: tuple[str, ...]
    assembler: tuple[str, ...] = ()
    unicorn: str | None = None


HOST = Core(frozenset({"registers"}), ("cortex-m3", "cortex-m4", "cortex-m7"))
CORTEX_M0PLUS = Core(frozenset(), ("cortex-m3", "cortex-m4", "cortex-m7"), ("-march=armv6s-m",), "CORTEX_M0")
CORTEX_M3 = Core(frozenset({"registers"}), ("cortex-m4", "cortex-m33", "cortex-m7"), ("-march=armv7-m",), "CORTEX_M3")
CORTEX_M4 = Core(
    frozenset({"registers", "dsp"}),
    ("cortex-m33", "cortex-m3", "cortex-m7"),
    ("-march=armv7e-m+fp", "-mfloat-abi=hard"),
    "CORTEX_M4",
)
CORTEX_M7 = Core(
    frozenset({"registers", "dsp", "dual-issue"}),
    ("cortex-m4", "cortex-m33", "cortex-m3"),
    ("-march=armv7e-m+fpv5", "-mfloat-abi=hard"),
    "CORTEX_M7",
)
CORTEX_M33 = Core(
    frozenset({"registers", "dsp"}),
    ("cortex-m4", "cortex-m3", "cortex-m7"),
    ("-march=armv8-m.main+dsp+fp", "-mfloat-abi=hard"),
    "CORTEX_M33",
)
CORTEX_M55 = Core(
    frozenset({"registers", "dsp", "mve"}),
    ("cortex-m33", "cortex-m4", "cortex-m7"),
    ("-march=armv8.1-m.main+mve.fp+fp.dp", "-mfloat-abi=hard"),
)

CORES: Table[Core] = Table(
    "core",
    "tinyhil.cores",
    {
        "host": "harness.hardware.cores:HOST",
        "cortex-m0plus": "harness.hardware.cores:CORTEX_M0PLUS",
        "cortex-m3": "harness.hardware.cores:CORTEX_M3",
        "cortex-m4": "harness.hardware.cores:CORTEX_M4",
        "cortex-m7": "harness.hardware.cores:CORTEX_M7",
        "cortex-m33": "harness.hardware.cores:CORTEX_M33",
        "cortex-m55": "harness.hardware.cores:CORTEX_M55",
    },
)

NOT_COMPILED_FOR = ("cortex-m0", "cortex-m85")
"""Cores that boards may have though no code is generated for them."""


_RUNS_CODE_OF = {
    "m0": "cortex-m0plus",
    "m1": "cortex-m0plus",
    "m23": "cortex-m0plus",
    "m35p": "cortex-m33",
    "m52": "cortex-m55",
    "m85": "cortex-m55",
}
"""Cores without kernels of their own -> the core whose code runs on them."""


@cache
def core(name: str) -> Core:
    """The record of a core.

    Raises:
        CompileError: there is no core of that name.
        PluginError: another package's core of that name cannot be loaded.
    """
    if name not in CORES:
        raise CompileError(f"no core named '{name}'", hint=core_hint(name, CORES.names()))
    return CORES.get(name)


def code_core(name: str) -> str | None:
    """The core whose code runs on a core, which may have no kernels of its own ("cortex-m0"); None if none's does."""
    if name in CORES:
        return name
    return _RUNS_CODE_OF.get(_short(name))


def core_hint(name: str, known: Iterable[str]) -> str:
    """What to write instead of a core's name that is not known: the one that is meant, or all."""
    names = {_short(candidate): candidate for candidate in known}
    short = _short(name)
    others = f"one of: {', '.join(names.values())}"
    if short in names:
        return f"did you mean {names[short]}?"
    if _RUNS_CODE_OF.get(short) in names.values():
        return f"code for {_RUNS_CODE_OF[short]} runs on it; {others}"
    close = difflib.get_close_matches(short, names, n=1)
    return f"did you mean {names[close[0]]}? {others}" if close else others


def _short(name: str) -> str:
    """A core's name without what people write in different ways: "M4", "cortex_m4" and "Arm Cortex-M4F" are "m4"."""
    text = re.sub(r"[^a-z0-9]", "", name.lower().replace("+", "plus"))
    return re.sub(r"^(?:arm)?(?:cortex|c)?(m\d+)f?", r"\1", text)
