"""Small Thumb programs for the virtual board, assembled on the spot."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness.build.toolchain import find

# Stack pointer, reset, and thirteen more vectors that all lead to `fault`; `svc` may be replaced
_FRAME = """
.syntax unified
.thumb
.word 0x20002000
.word start + 1
.rept 9
.word fault + 1
.endr
.word svc + 1
.rept 4
.word fault + 1
.endr
.thumb_func
start:
{body}
stop: b stop
.ltorg
.thumb_func
svc:
{svc}
bx lr
.ltorg
.thumb_func
fault:
mrs r4, ipsr
mov r5, lr
ldr r6, =0xE000ED28
ldr r7, [r6]
{fault}
dead: wfi
b dead
.ltorg
"""


def program(folder: Path, body: str, *, core: str = "cortex-m7", svc: str = "nop", fault: str = "nop") -> Path:
    """An ELF file at the start of flash: `body` runs after reset and then stays at `stop`; a fault goes to sleep with
    the exception's number in r4, EXC_RETURN in r5 and CFSR in r7.
    """
    source, elf = folder / "program.s", folder / "program.elf"
    source.write_text(_FRAME.format(body=body, svc=svc, fault=fault))
    unit = {"cortex-m4": "fpv4-sp-d16", "cortex-m0plus": ""}.get(core, "fpv5-sp-d16")
    command = [str(find("arm").cc), f"-mcpu={core}", "-mthumb"]
    command += [f"-mfpu={unit}", "-mfloat-abi=hard"] if unit else []
    command += ["-nostdlib", "-Wl,-Ttext=0x08000000", "-Wl,-estart", str(source), "-o", str(elf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return elf
