"""The cores that code is generated for, one record each; other packages add cores by entry points "tinyhil.cores"."""

from __future__ import annotations

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


@cache
def core(name: str) -> Core:
    """The record of a core.

    Raises:
        CompileError: there is no core of that name.
        PluginError: another package's core of that name cannot be loaded.
    """
    if name not in CORES:
        raise CompileError(f"no core named '{name}'", hint="one of: " + ", ".join(CORES.names()))
    return CORES.get(name)
