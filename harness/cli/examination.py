"""Examination of the installation: compilers, emulator, oracles and probes, with versions or hints."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from harness.boards.backends.qemu.session import qemu_version
from harness.errors import TinyhilError
from harness.oracle import litert
from harness.oracle.tflm import missing_hint
from harness.report.tool_versions import compiler_version, package_version
from harness.resources import has_package
from harness.version import __version__


class Health(Enum):
    """State of something that tinyhil uses."""

    OK = "ok"
    OPTIONAL = "optional"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """The result of looking for one thing.

    Attributes:
        name: of what was looked for.
        health: MISSING if something needed is not usable, OPTIONAL if only extras need it.
        detail: version, or why it is not usable.
        hint: what to do; "" if it is usable.
    """

    name: str
    health: Health
    detail: str
    hint: str = ""


def examine() -> tuple[Finding, ...]:
    """Looks for everything that tinyhil may need."""
    return (
        Finding("tinyhil", Health.OK, __version__),
        Finding("python", Health.OK, f"{platform.python_version()} ({sys.executable})"),
        _look("arm compiler", lambda: compiler_version("arm")),
        _look("host compiler", lambda: compiler_version("host"), Health.OPTIONAL),
        _look("qemu-system-arm", qemu_version),
        _look("fvp", fvp_program, Health.OPTIONAL),
        _package("oracle tflm", ("tflite-micro",), missing_hint(), _where_it_exists()),
        _package(
            "oracle litert",
            ("ai-edge-litert", "tflite-runtime"),
            f"{litert.missing_hint()}; second opinions beside the reference",
            Health.OPTIONAL,
        ),
        _package("onnx files", ("onnx",), "pip install 'tinyhil[onnx]'", Health.OPTIONAL),
        _look("live tflm", tflm_program, Health.OPTIONAL),
        _package("vela", ("ethos-u-vela",), "pip install 'tinyhil[npu]'; models for an Ethos-U", Health.OPTIONAL),
        _package("virtual board", ("unicorn",), "pip install 'tinyhil[virtual]'", Health.OPTIONAL),
        _package("pyocd", ("pyocd",), "pip install 'tinyhil[probe]'; boards at a debug probe", Health.OPTIONAL),
        _probes(),
        _cache_folder(),
    )


def fvp_program() -> str:
    """Path of the Corstone-300 FVP; it prints its version only when it starts.

    Raises:
        EmulatorMissingError: it is not installed.
    """
    from harness.boards import find_board
    from harness.boards.backends.fvp.session import find_fvp

    return str(find_fvp(find_board("corstone-300")))


def tflm_program() -> str:
    """Path of TFLM's program for the Cortex-M55.

    Raises:
        TinyhilError: it is not installed, or another file is named in its place.
    """
    from harness.runtimes.tflm.runner import find_runner

    return str(find_runner().path)


def _where_it_exists() -> Health:
    """How bad it is that package tflite-micro is missing: nothing to be done about it where it has no wheel."""
    return Health.MISSING if (sys.platform, platform.machine()) == ("linux", "x86_64") else Health.OPTIONAL


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
    if not has_package("pyocd"):
        return Finding("debug probes", Health.OPTIONAL, "not looked for, as pyocd is not installed")
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
