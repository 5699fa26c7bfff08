"""A model's source includes the headers of all its kernels: any of them stand beside one another."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from harness.build import find
from tests.support.paths import FIRMWARE

KERNELS = FIRMWARE / "kernels"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror", "-fmax-errors=5")
FOREIGN = {"cortex-m0plus": ("_dsp", "_dual_issue", "_mve"), "cortex-m7": ("_mve",), "cortex-m55": ()}
"""Cores, and the parts of names of kernels that they cannot run."""


@pytest.mark.parametrize("core", FOREIGN)
def test_all_headers_of_kernels_compile_together(core: str, tmp_path: Path) -> None:
    headers = [
        header.name
        for header in sorted(KERNELS.glob("*.h"))
        if re.search(rf"\b{header.stem}_shape;", header.read_text(encoding="utf-8"))
        and not any(part in header.stem for part in FOREIGN[core])
    ]
    assert len(headers) > 60
    source = tmp_path / "all.c"
    source.write_text("".join(f'#include "{name}"\n' for name in headers) + "extern int unit;\n", encoding="utf-8")
    flags = [f"-mcpu={core}", "-mthumb", *(["-mfloat-abi=hard"] if core == "cortex-m55" else [])]
    command = [find("arm").cc, "-std=c11", "-O2", *flags, *WARNINGS, f"-I{KERNELS}", "-c", source]
    done = subprocess.run([*command, "-o", tmp_path / "all.o"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
