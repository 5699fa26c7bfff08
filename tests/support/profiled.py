"""Firmware of a few instructions with known counts, and runs of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.cycles import replay
from harness.cycles.image import Layout, read_layout
from harness.cycles.observers import plugin_arguments

SOURCE = Path(__file__).with_name("profiled.S")


def build_profiled(folder: Path, rounds: int, ticks: bool) -> Path:
    """The image of profiled.S."""
    elf = folder / f"profiled-{rounds}-{ticks}.elf"
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-nostdlib", f"-Wa,--defsym,ROUNDS={rounds}"]
    command += [f"-Wa,--defsym,TICKS={int(ticks)}", "-Wl,--section-start=.vectors=0,-Ttext=0x100,-Tbss=0x20000000"]
    command += ["-Wl,--section-start=.arena=0x20002000,--entry=reset,--no-warn-rwx-segments"]
    command += [str(SOURCE), "-o", str(elf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return elf


def run_profiled(elf: Path, folder: Path) -> tuple[Layout, tuple[replay.Counted, ...], int]:
    """(layout, what each layer executed, interrupts taken, at most 100) under QEMU."""
    layout = read_layout(elf, "m")
    command = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none"]
    command += ["-icount", "shift=8", "-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]
    done = subprocess.run(
        [*command, *plugin_arguments(layout, folder)], capture_output=True, text=True, timeout=60, check=False
    )
    return layout, replay.count(folder / "trace", layout.spans), done.returncode
