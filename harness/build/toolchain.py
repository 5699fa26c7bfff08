"""Finds compilers: the cross compiler for Cortex-M and the one for this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import ToolchainMissingError

Kind = Literal["arm", "host"]

MINIMUM_MAJOR = {"gcc": 10, "clang": 11}
VERSION_TIMEOUT_S = 20.0
VARIABLE: dict[Kind, str] = {"arm": "TINYHIL_ARM_GCC", "host": "TINYHIL_HOST_CC"}

_ARM_PROGRAM = "arm-none-eabi-gcc"
USUAL_PLACES = (
    "/opt/homebrew/bin",
    "/opt/gcc-arm-none-eabi*/bin",
    "/opt/arm-gnu-toolchain*/bin",
    "/Applications/ArmGNUToolchain/*/arm-none-eabi/bin",
    "/Applications/ARM/bin",
    "~/.local/xPacks/@xpack-dev-tools/arm-none-eabi-gcc/*/.content/bin",
    "~/.espressif/tools/arm-none-eabi-gcc/*/bin",
    "~/gcc-arm-none-eabi*/bin",
    "~/arm-gnu-toolchain*/bin",
    "C:/Program Files (x86)/Arm GNU Toolchain arm-none-eabi/*/bin",
    "C:/Program Files/Arm GNU Toolchain arm-none-eabi/*/bin",
)
"""Folders of Arm compilers that installers make, looked at after PATH."""


@dataclass(frozen=True)
class Toolchain:
    """A compiler that is new enough.

    Attributes:
        kind: "arm" for Cortex-M, "host" for this machine.
        cc: the compiler driver; it also assembles and links.
        family: "gcc" or "clang".
        version: first line of `cc --version`.
        major: first number of the version.
    """

    kind: Kind
    cc: Path
    family: Literal["gcc", "clang"]
    version: str
    major: int

    @property
    def identity(self) -> str:
        """The compiler's part of an object's cache key."""
        return f"{self.kind} {self.family} {self.version}"


def find(kind: Kind) -> Toolchain:
    """The compiler of a kind: from $TINYHIL_ARM_GCC or $TINYHIL_HOST_CC if set, else from PATH or the usual places.

    A compiler that the variable names must do; of the others the first that is new enough is taken.

    Raises:
        ToolchainMissingError: there is none, none is new enough, or the one that the variable names does not work.
    """
    variable = VARIABLE[kind]
    named = os.environ.get(variable)
    if named:
        program = shutil.which(os.path.expanduser(named))
        if program is None:
            raise ToolchainMissingError(
                f"{variable}={named} is not a program", hint=f"correct or unset {variable}; {install_hint(kind)}"
            )
        return _checked(kind, Path(program))
    refused: list[ToolchainMissingError] = []
    for candidate in _candidates(kind):
        try:
            return _checked(kind, candidate)
        except ToolchainMissingError as error:
            refused.append(error)
    if refused:
        raise refused[0]
    program_name = _ARM_PROGRAM if kind == "arm" else "gcc or clang"
    raise ToolchainMissingError(
        f"no {program_name} on PATH or in the usual places",
        hint=f"{install_hint(kind)}, or set {variable} to the compiler",
    )


def install_hint(kind: Kind, platform: str | None = None) -> str:
    """How to install a compiler on this operating system."""
    platform = sys.platform if platform is None else platform
    if kind == "arm":
        if platform == "darwin":
            return "install it: brew install --cask gcc-arm-embedded"
        if platform == "win32":
            return "install it: winget install Arm.GnuArmEmbeddedToolchain"
        return (
            "install it: apt install gcc-arm-none-eabi libnewlib-arm-none-eabi (Debian, Ubuntu), dnf install "
            "arm-none-eabi-gcc-cs arm-none-eabi-newlib (Fedora), pacman -S arm-none-eabi-gcc "
            "arm-none-eabi-newlib (Arch)"
        )
    if platform == "darwin":
        return "install it: xcode-select --install"
    if platform == "win32":
        return "install it: winget install LLVM.LLVM"
    return "install it: apt install gcc libc6-dev (Debian, Ubuntu), dnf install gcc (Fedora), pacman -S gcc (Arch)"


def _candidates(kind: Kind) -> Iterator[Path]:
    names = (_ARM_PROGRAM,) if kind == "arm" else ("gcc", "clang", "cc")
    for name in names:
        program = shutil.which(name)
        if program:
            yield Path(program)
    if kind == "host":
        return
    for place in USUAL_PLACES:
        pattern = Path(place).expanduser()
        if not pattern.is_absolute():
            continue
        # The newest release first, by the folders' names.
        for folder in sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))), reverse=True):
            program = shutil.which(_ARM_PROGRAM, path=str(folder))
            if program:
                yield Path(program)


def _checked(kind: Kind, cc: Path) -> Toolchain:
    try:
        done = subprocess.run(
            [str(cc), "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainMissingError(f"{cc} does not run: {error}", hint=install_hint(kind)) from error
    first = done.stdout.partition("\n")[0].strip()
    family: Literal["gcc", "clang"] = "clang" if "clang" in first.lower() else "gcc"
    if family == "clang":
        number = re.search(r"version (\d+)\.\d+", first)
    else:
        # In "gcc (Debian 12.2.0-14) 12.2.0" the compiler's version is after the parentheses.
        number = re.search(r"(\d+)\.\d+(?:\.\d+)?", re.sub(r"\([^)]*\)", "", first))
    if done.returncode != 0 or number is None:
        raise ToolchainMissingError(
            f"{cc} does not tell its version", hint=install_hint(kind), details=(done.stdout + done.stderr)[:2000]
        )
    major = int(number.group(1))
    minimum = MINIMUM_MAJOR[family]
    if major < minimum:
        raise ToolchainMissingError(
            f"{cc} is {family} {major}, and {family} {minimum} or later is needed", hint=install_hint(kind)
        )
    return Toolchain(kind, cc, family, first, major)
