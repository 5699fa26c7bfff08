"""Builds the runtime with the test models of tests/support/model, without the compiler and the cache."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
FIRMWARE = REPOSITORY / "firmware"
MODEL = Path(__file__).parent / "model" / "hil_models.c"
BUILD_ID = "0123456789abcdef"
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def build(
    port: str,
    out: Path,
    *,
    link: str | None = None,
    compiler: str | None = None,
    flags: Sequence[str] = (),
    extra: Sequence[Path] = (),
    replace: Path = MODEL,
) -> Path:
    """Compile and link an image of the test models; returns `out`."""
    facts = yaml.safe_load((FIRMWARE / "ports" / port / "port.yaml").read_text())
    chosen = facts["links"][link or facts["default_link"]]
    arm = facts["toolchain"] == "arm"
    sources = [str(FIRMWARE / s) for s in [*facts["sources"], *chosen["sources"]]]
    sources += sorted(str(p) for p in (FIRMWARE / "runtime").glob("*.c"))
    command = [compiler or ("arm-none-eabi-gcc" if arm else "gcc"), "-O2", "-g", *WARNINGS]
    command += ["-ffunction-sections", "-fdata-sections", *facts["cflags"], *facts["ldflags"]]
    command += [f"-I{FIRMWARE / i}" for i in facts["includes"]]
    command += [f"-D{d}" for d in [*facts["defines"], *chosen["defines"]]]
    command += [f'-DHIL_BUILD_ID="{BUILD_ID}"', f'-DHIL_BOARD="{port}"', "-DHIL_TEST_FAULTS", *flags]
    command += [f"-L{FIRMWARE / d}" for d in facts["library_dirs"]]
    if facts["ldscript"]:
        command += [f"-T{FIRMWARE / facts['ldscript']}", f"-Wl,--defsym=HIL_STACK_SIZE={facts['stack_size']}"]
    command += [*sources, str(replace), *(str(e) for e in extra), *facts["libs"], "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"
    return out
