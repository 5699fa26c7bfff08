"""A program that is no model, built for a board."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from harness.boards import find_board
from harness.build.toolchain import find
from harness.resources import firmware

SOURCES = Path(__file__).parent / "program"
BOARDS = ("nucleo-l4r5", "nucleo-h743", "mps2-an385", "mps3-an547")


def build_program(
    board_name: str, folder: Path, *, marked: bool = True, ticks: int = 1999, source: str | None = None
) -> Path:
    """The ELF file of tests/support/program/app.c.

    Args:
        board_name: whose memories it is linked for.
        folder: where it is written.
        marked: whether its regions are marked.
        ticks: of the timer, from interrupt to interrupt.
        source: C code instead of that file's.
    """
    board = find_board(board_name)
    flash = next(region for region in board.memory if region.kind == "flash")
    ram = next(region for region in board.memory if region.kind == "ram" and region.origin >= 0x2000_0000)
    code = folder / "app.c"
    code.write_text((SOURCES / "app.c").read_text(encoding="utf-8") if source is None else source, encoding="utf-8")
    elf = folder / f"app{'_marked' if marked else ''}.elf"
    script = folder / "program.ld"
    text = (SOURCES / "program.ld").read_text(encoding="utf-8")
    script.write_text(text.replace("CODE :", f"{flash.origin:#x} :").replace("RAM;", f"{ram.origin:#x};"))
    flags = yaml.safe_load((firmware() / "ports" / board_name / "port.yaml").read_text(encoding="utf-8"))["cflags"]
    command = [
        str(find("arm").cc), *flags, "-O2", "-g", "-fno-tree-vectorize", "-ffreestanding", "-nostdlib", "-nostartfiles",
        f"-DTICKS={ticks}", *(["-DMARKED"] if marked else []), f"-I{firmware() / 'profile'}",
        "-Wall", "-Wextra", "-Werror", "-Wl,--gc-sections", f"-Wl,-T,{script}", "-o", str(elf), str(code),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return elf
