"""What is installed: compilers, emulator, oracles, probes; each with its version, or what to do about it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import metadata
from pathlib import Path

import harness
from harness.errors import TinyhilError


class Health(Enum):
    """State of one thing."""

    OK = "ok"
    OPTIONAL = "optional"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes:
        name: what was looked for.
        health: MISSING where something needed is not there, OPTIONAL where only extras need it.
        detail: version, or why it cannot be used.
        hint: what to do; "" when all is well.
    """

    name: str
    health: Health
    detail: str
    hint: str = ""


def examine() -> tuple[Finding, ...]:
    """Look at everything that tinyhil may need."""
    return (
        Finding("tinyhil", Health.OK, harness.__version__),
        Finding("python", Health.OK, f"{platform.python_version()} ({sys.executable})"),
        _look("arm compiler", lambda: compiler_version("arm")),
        _look("host compiler", lambda: compiler_version("host"), Health.OPTIONAL),
        _look("qemu-system-arm", qemu_version),
        _look("fvp", fvp_program, Health.OPTIONAL),
        _package("oracle tflm", ("tflite-micro",), "pip install 'tflite-micro>=0.dev20260930024714'"),
        _package(
            "oracle litert",
            ("ai-edge-litert", "tflite-runtime"),
            "pip install ai-edge-litert, or tinyhil[tflite-runtime]",
            Health.OPTIONAL,
        ),
        _package("virtual board", ("unicorn",), "pip install 'tinyhil[virtual]'", Health.OPTIONAL),
        _package("pyocd", ("pyocd",), "pip install pyocd", Health.OPTIONAL),
        _probes(),
        _cache_folder(),
    )


def compiler_version(kind: str) -> str:
    """Version line of the "arm" or "host" compiler.

    Raises:
        ToolchainMissingError: none is usable.
    """
    from harness.build import toolchain

    found = toolchain.find("arm" if kind == "arm" else "host")
    return f"{found.version} ({found.cc})"


@cache
def qemu_version() -> str:
    """Version line of QEMU.

    Raises:
        EmulatorMissingError: it is not there.
    """
    from harness.boards.qemu import find_qemu

    program = find_qemu()
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not tell its version ({error}) ({program})"
    return f"{done.stdout.partition(chr(10))[0].strip()} ({program})"


def fvp_program() -> str:
    """Path of the Corstone-300 FVP; its version it tells only as it starts.

    Raises:
        EmulatorMissingError: it is not there.
    """
    from harness.boards import find_board
    from harness.boards.fvp import find_fvp

    return str(find_fvp(find_board("corstone-300")))


def package_version(*names: str) -> str | None:
    """"NAME VERSION" of the first of these distributions that is installed, or None."""
    for name in names:
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return None


def tool_versions() -> dict[str, str]:
    """Versions that a result depends on, for its bundle; what is missing is said to be."""
    versions = {
        "tinyhil": harness.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": package_version("numpy") or "missing",
        "oracle tflm": package_version("tflite-micro") or "missing",
        "oracle litert": package_version("ai-edge-litert", "tflite-runtime") or "missing",
        "pyocd": package_version("pyocd") or "missing",
        "virtual board": package_version("unicorn") or "missing",
    }
    tools: dict[str, Callable[[], str]] = {
        "arm compiler": lambda: compiler_version("arm"),
        "qemu": qemu_version,
    }
    for name, ask in tools.items():
        try:
            versions[name] = ask().rpartition(" (")[0]
        except TinyhilError as error:
            versions[name] = f"missing: {error.message}"
    return versions


def _look(name: str, ask: Callable[[], str], otherwise: Health = Health.MISSING) -> Finding:
    try:
        return Finding(name, Health.OK, ask())
    except TinyhilError as error:
        return Finding(name, otherwise, error.message, error.hint)


def _package(name: str, distributions: tuple[str, ...], hint: str, otherwise: Health = Health.MISSING) -> Finding:
    found = package_version(*distributions)
    if found is None:
        return Finding(name, otherwise, f"{' or '.join(distributions)} is not installed", hint)
    return Finding(name, Health.OK, found)


def _probes() -> Finding:
    from harness.boards import attached_probes

    probes = attached_probes()
    if not probes:
        return Finding("debug probes", Health.OPTIONAL, "none attached; boards that need one run their stand-in")
    return Finding("debug probes", Health.OK, ", ".join(f"{p.description} {p.unique_id}" for p in probes))


def _cache_folder() -> Finding:
    from harness.build.cache import default_root

    root = default_root()
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    if not os.access(existing, os.W_OK) or not Path(existing).is_dir():
        return Finding("build cache", Health.MISSING, f"{root} cannot be written", "set TINYHIL_CACHE to a folder")
    return Finding("build cache", Health.OK, str(root))
