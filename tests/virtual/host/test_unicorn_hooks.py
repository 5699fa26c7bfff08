"""The profiler's hooks leave what Unicorn computes as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.cycles import direct

if sys.platform == "win32":
    pytest.skip("Unicorn is installed on POSIX systems only", allow_module_level=True)
import unicorn  # noqa: E402
from unicorn import arm_const as arm  # noqa: E402

CODE, DATA, STOP = 0x0800_0000, 0x2000_0000, 0x0800_0100
CONDITIONAL_STORE = bytes.fromhex(
    "8842"  # cmp r0, r1
    "b8bf"  # it lt
    "1060"  # strlt r0, [r2]
    "002b"  # cmp r3, #0: greater
    "00d0"  # beq 1f
    "0724"  # movs r4, #7: the first of a new block, which depends on nothing
    "7047"  # 1: bx lr
)


@pytest.mark.parametrize("watched", [False, True])
def test_a_conditional_store_leaves_the_next_block_alone(watched: bool, tmp_path: Path) -> None:
    engine = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M7)
    engine.mem_map(CODE, 0x1000)
    engine.mem_map(DATA, 0x1000)
    engine.mem_write(CODE, CONDITIONAL_STORE)
    points = tmp_path / "points"
    points.write_text(f"layer {CODE + 0x200:x}\n")
    watcher = direct.Watcher(engine, points, tmp_path / "trace") if watched else None
    for register, value in ((0, 1), (1, 2), (2, DATA), (3, 1), (4, 0)):
        engine.reg_write(getattr(arm, f"UC_ARM_REG_R{register}"), value)
    engine.reg_write(arm.UC_ARM_REG_LR, STOP | 1)
    engine.emu_start(CODE | 1, STOP)
    if watcher is not None:
        watcher.close()
    assert engine.mem_read(DATA, 4) == b"\1\0\0\0"
    assert engine.reg_read(arm.UC_ARM_REG_R4) == 7
