"""A user's firmware for emulated boards: the flags of cores, the compilers, and a run that shows what it prints."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from tests.support.paths import REPOSITORY

CORES = {
    "host": (),
    "cortex-m3": ("-mcpu=cortex-m3", "-mthumb"),
    "cortex-m4": ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"),
    "cortex-m7": ("-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
    "cortex-m33": ("-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"),
    "cortex-m55": ("-mcpu=cortex-m55", "-mthumb", "-mfpu=auto", "-mfloat-abi=hard"),
}
"""Core -> flags of arm-none-eabi-gcc."""

MACHINES = {"cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500", "cortex-m55": "mps3-an547"}
"""Core -> QEMU's machine with it."""

_SUPPORT = REPOSITORY / "tests" / "support"
START = str(_SUPPORT / "firmware_start.c")
LINK = (f"-T{_SUPPORT / 'firmware_link.ld'}", "-nostartfiles", "--specs=nosys.specs")


def clang_flags(core: str) -> tuple[str, ...]:
    """Flags of clang for a core, with newlib's headers."""
    fpu = [flag for flag in CORES[core] if flag not in ("-mfpu=auto",)]
    folders = [f"-isystem{folder}" for folder in _library_headers()]
    return ("--target=arm-none-eabi", *fpu, *folders)


@cache
def _library_headers() -> tuple[str, ...]:
    """Include folders of the C library, without gcc's own."""
    command = ["arm-none-eabi-gcc", "-xc", "-E", "-v", "-"]
    said = subprocess.run(command, input="", capture_output=True, text=True, check=True).stderr
    folders = re.findall(r"^ (/\S+)$", said.partition("#include <...> search starts here:")[2], re.MULTILINE)
    return tuple(str(path) for path in (Path(folder).resolve() for folder in folders) if "gcc" not in path.parts)


def emulate(image: Path, core: str, machine: str | None = None) -> str:
    """What the image prints until it ends with exit code 0, on a machine other than MACHINES has where one is named."""
    command = ["qemu-system-arm", "-machine", machine or MACHINES[core], "-display", "none"]
    command += ["-monitor", "none", "-serial", "none"]
    command += ["-chardev", "stdio,id=said", "-semihosting-config", "enable=on,target=native,chardev=said"]
    command += ["-kernel", str(image)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL, errors="replace"
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
