"""The runtime of relocatable models: its bytes and stack on every core, and compilers that take it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from harness.build.port import core_flags
from harness.relocatable.numbers import cores
from tests.support.cross import clang_flags
from tests.support.paths import EXAMPLES, FIRMWARE, REPOSITORY
from tests.support.scale import scaled
from tests.support.slots import CHECKS

RELOCATABLE = FIRMWARE / "relocatable"
RUNTIME = ("tinyhil_relocatable.c", "tinyhil_hash.c")
SOURCES = (*RUNTIME, "tinyhil_slots.c")
MOST_BYTES, MOST_STACK = 2048, 800
PAGE = REPOSITORY / "docs" / "relocatable-runtime.md"
_ROW = re.compile(r"^\| (?:runtime and hashes|slots) \|(.*)\|$", re.MULTILINE)
_HEADERS = "".join(f'#include "{path.name}"\n' for path in sorted(RELOCATABLE.glob("*.h")))
_CALLS = "\nint main()\n{\n    tinyhil_reloc_host host;\n    tinyhil_reloc_this_core(&host);\n    return 0;\n}\n"


def compiled(command: list[str], source: Path, out: Path) -> Path:
    done = subprocess.run([*command, "-c", source, "-o", out], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return out


def kept_bytes(path: Path) -> int:
    """Bytes in flash: code and constants; there are no others."""
    with path.open("rb") as stream:
        held = [s for s in ELFFile(stream).iter_sections() if s["sh_flags"] & 2 and s["sh_size"]]
        assert not [s.name for s in held if s["sh_flags"] & 1], "no variables"
        return sum(s["sh_size"] for s in held if not s.name.startswith(".ARM.ex"))


@pytest.mark.parametrize("core", cores())
def test_the_runtime_takes_less_than_2_kb(core, tmp_path):
    flags = ["arm-none-eabi-gcc", *CHECKS, *core_flags(FIRMWARE, core), "-g0", "-Os", "-fstack-usage"]
    sizes = {name: kept_bytes(compiled(flags, RELOCATABLE / name, tmp_path / f"{name}.o")) for name in RUNTIME}
    assert sum(sizes.values()) < MOST_BYTES, sizes
    sizes["slots"] = kept_bytes(compiled(flags, RELOCATABLE / "tinyhil_slots.c", tmp_path / "slots.o"))
    taken = (sum(sizes[name] for name in RUNTIME), sizes["slots"])
    for row, measured in zip(_ROW.findall(PAGE.read_text()), taken, strict=True):
        stated = int(row.split("|")[list(cores()).index(core)].replace(",", ""))
        assert abs(stated - measured) <= 40, "the page tells another size"
    for usage in tmp_path.glob("*.su"):
        for line in usage.read_text().splitlines():
            assert int(line.split("\t")[1]) <= MOST_STACK, line


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("optimize", scaled(["-O2"], ["-O0", "-Os", "-O2"]))
def test_compilers_take_it_without_a_warning(name, optimize, tmp_path):
    for compiler in (
        ["gcc"],
        ["clang"],
        ["clang", *clang_flags("cortex-m4")],
        ["arm-none-eabi-gcc", *core_flags(FIRMWARE, "cortex-m55")],
    ):
        compiled([*compiler, *CHECKS, optimize], RELOCATABLE / name, tmp_path / "out.o")


def test_the_page_and_the_example_compile(tmp_path):
    shown = tmp_path / "shown.c"
    blocks = re.findall(r"^```c\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    shown.write_text("".join(blocks))
    for source in (shown, EXAMPLES / "relocatable" / "model_update.c"):
        for compiler in (["gcc"], ["arm-none-eabi-gcc", *core_flags(FIRMWARE, "cortex-m0plus")]):
            compiled([*compiler, *CHECKS, f"-I{RELOCATABLE}"], source, tmp_path / "out.o")


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_the_headers_are_cplusplus(compiler, tmp_path):
    source = tmp_path / "main.cpp"
    source.write_text(_HEADERS + _CALLS)
    checks = ["-std=c++11", "-Wall", "-Wextra", "-Wconversion", "-Wold-style-cast", "-Werror", f"-I{RELOCATABLE}"]
    compiled([compiler, *checks], source, tmp_path / "main.o")
