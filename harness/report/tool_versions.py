"""Versions of the tools that a result depends on."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata

from harness.boards.backends.qemu.session import qemu_version
from harness.build import toolchain
from harness.errors import TinyhilError
from harness.version import __version__


def compiler_version(kind: str) -> str:
    """Version line of the "arm" or "host" compiler.

    Raises:
        ToolchainMissingError: none is usable.
    """
    found = toolchain.find("arm" if kind == "arm" else "host")
    return f"{found.version} ({found.cc})"


def package_version(*names: str) -> str | None:
    """"NAME VERSION" of the first of these distributions that is installed, or None."""
    for name in names:
        try:
            return f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    return None


def tool_versions() -> dict[str, str]:
    """Name -> version of the tools that a result depends on; a text with "missing" for one that is not usable."""
    versions = {
        "tinyhil": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": package_version("numpy") or "missing",
        "oracle tflm": package_version("tflite-micro") or "missing",
        "oracle litert": package_version("ai-edge-litert", "tflite-runtime") or "missing",
        "live tflm": package_version("mlia-ethos-u") or "missing",
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
