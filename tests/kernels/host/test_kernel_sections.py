"""All code of a kernel goes where the board's placement puts code: TINYHIL_CODE, or kernel_asm.h's section."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.build.jobs import run_tool
from harness.build.port import core_flags
from harness.build.sources import COMMON_FLAGS
from harness.build.toolchain import find
from harness.elf.sections import read_sections
from harness.elf.sizes import HOT_SECTION
from tests.support.paths import FIRMWARE
from tests.support.scale import scaled

KERNELS = FIRMWARE / "kernels"
SOURCES = sorted(path for path in KERNELS.glob("*.[chS]") if "ethosu" not in path.name)  # that driver is the NPU's
PLACING = ("HIL_INLINE", "HIL_LOCAL", "HIL_NOINLINE", "HIL_SHARED", "TINYHIL_CODE")


def _functions(text: str) -> list[str]:
    """The heads of the functions that a source defines, up to their brace."""
    return [" ".join(found.split()) for found in re.findall(r"^[A-Za-z_][^;{}=#/\"]*?\)\s*\{", text, re.MULTILINE)]


@pytest.mark.parametrize("source", [path for path in SOURCES if path.suffix != ".S"], ids=lambda path: path.name)
def test_every_function_of_a_kernel_says_where_it_goes(source):
    heads = _functions(source.read_text(encoding="utf-8"))
    assert [head for head in heads if not any(word in head.split() for word in PLACING)] == []


def _text_elsewhere(source: Path, folder: Path) -> list[str]:
    """Sections of code other than the placed one, of a source compiled for a core that has all it needs."""
    name = "cortex-m55" if source.stem.endswith("_mve") else "cortex-m7"
    made = folder / f"{source.stem}.o"
    placing = (f'-DTINYHIL_CODE=__attribute__((section("{HOT_SECTION}")))', f"-DTINYHIL_CODE_SECTION={HOT_SECTION}")
    command = [str(find("arm").cc), *COMMON_FLAGS, *core_flags(FIRMWARE, name), *placing, f"-I{KERNELS}"]
    run_tool([*command, "-c", str(source), "-o", str(made)], folder, f"{source.name} does not compile", find("arm"))
    sections = [section for section in read_sections(made) if section.kind == "text"]
    assert sections
    return [section.name for section in sections if section.name != HOT_SECTION]


COMPILED = [path for path in SOURCES if path.suffix != ".h"]


@pytest.mark.parametrize("source", scaled(COMPILED[::16], COMPILED), ids=lambda path: path.name)
def test_the_object_of_a_kernel_has_code_in_the_placed_section_only(source, tmp_path):
    assert _text_elsewhere(source, tmp_path) == []
