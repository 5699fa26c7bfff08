"""MVE kernels in assembly: accepted by GNU as and clang; registers that callers keep values in are given back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from harness.resources import firmware

SOURCES = sorted((firmware() / "kernels").glob("*_mve*.S"))
FLAGS = ("-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard")
COMPILERS = {"arm-none-eabi-gcc": (), "clang": ("--target=arm-none-eabi",)}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_assembler_takes_them(compiler: str, tmp_path: Path) -> None:
    assert len(SOURCES) >= 10
    for source in SOURCES:
        command = [compiler, *COMPILERS[compiler], *FLAGS, "-c", str(source), "-o", str(tmp_path / "kernel.o")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_registers_of_the_caller_are_saved(source: Path, tmp_path: Path) -> None:
    functions = _functions(source, tmp_path)
    assert functions
    for name, lines in functions.items():
        saving = [line for line in lines if re.match(r"v?push\b", line)]
        restoring = [line for line in lines if re.match(r"v?pop\b", line)]
        saved = set().union(*(_registers(line) for line in saving))
        restored = set().union(*(_registers(line) for line in restoring))
        used = set().union(*(_registers(line) for line in lines if line not in saving and line not in restoring))
        kept = {f"r{i}" for i in range(4, 12)} | {f"q{i}" for i in range(4, 8)}
        assert used & kept <= saved & restored, name
        assert "lr" not in used or "lr" in saved, name


def _functions(source: Path, tmp_path: Path) -> dict[str, list[str]]:
    """Instructions of each function, macros expanded."""
    listing = tmp_path / "listing"
    flags = (*FLAGS, f"-Wa,-alm={listing}", "-c", str(source), "-o", str(tmp_path / "kernel.o"))
    subprocess.run(["arm-none-eabi-gcc", *flags], check=True)
    functions: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in listing.read_text().splitlines():
        # number, address and code, then the text; what a macro gave is marked by ">"
        text = re.sub(r"^\s*\d+(\s+[0-9a-f]{4}( [0-9A-F]{4,8})?)?\s*>*\s*", "", line).strip()
        if label := re.fullmatch(r"(\w*mve\w*):", text):
            lines = functions.setdefault(label[1], [])
        elif text.startswith(".size"):
            lines = []
        elif re.match(r"[a-z]", text):
            lines.append(re.sub(r"\s+", " ", text.partition("/*")[0]).strip())
    return functions


def _registers(line: str) -> set[str]:
    found = set(re.findall(r"\b(?:r\d+|q\d|lr)\b", line))
    for first, last in re.findall(r"\br(\d+)-r(\d+)", line):
        found |= {f"r{i}" for i in range(int(first), int(last) + 1)}
    for first, last in re.findall(r"\bd(\d+)-d(\d+)", line):
        found |= {f"q{i // 2}" for i in range(int(first), int(last) + 1)}
    return found
