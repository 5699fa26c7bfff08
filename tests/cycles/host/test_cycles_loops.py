"""Loop bodies in their steady state: the two steps that kernels are written around, and what is refused."""

import subprocess

import pytest

from harness.build.toolchain import find
from harness.cycles.loops import function_loops, loop_cycles
from harness.cycles.pipeline import Cause
from harness.errors import BuildError, CycleModelError, CycleTableError

# notes: 16 MACs, software-pipelined, every load beside a MAC; the limit of one MAC port
M7_STEP = """
    smlad r2, r10, r12, r2
    ldr r11, [r0, #4]
    smlad r3, r10, lr, r3
    sxtb16 r10, r10
    smlad r6, r11, r12, r6
    smlad r7, r11, lr, r7
    sxtb16 r11, r11
    smlad r4, r10, r12, r4
    smlad r8, r11, r12, r8
    ldr r12, [r1, #8]!
    smlad r5, r10, lr, r5
    ldr r10, [r0, #8]!
    smlad r9, r11, lr, r9
    ldr lr, [r1, #4]
"""
_TAIL = """
    smlad r2, r10, r12, r2
    smlad r3, r10, lr, r3
    smlad r4, r11, r12, r4
    smlad r5, r11, lr, r5
    sxtb16 r10, r10
    sxtb16 r11, r11
    smlad r6, r10, r12, r6
    smlad r7, r10, lr, r7
    smlad r8, r11, r12, r8
    smlad r9, r11, lr, r9
"""
M4_STEP = "ldr.w r10, [r0]\n ldr.w r11, [r0, #4]\n ldr.w r12, [r1]\n ldr.w lr, [r1, #4]" + _TAIL
M4_STEP_PAIRS = "ldrd r10, r11, [r0], #8\n ldrd r12, lr, [r1], #8" + _TAIL


def test_m7_step_takes_eight_cycles():
    cost = loop_cycles(M7_STEP, "cortex-m7")
    assert (cost.cycles, cost.instructions, cost.causes) == (8, 14, {Cause.ISSUE: 8})
    assert cost.validated


def test_m4_step_takes_fifteen_cycles_and_sixteen_with_pairs():
    assert loop_cycles(M4_STEP, "cortex-m4").cycles == 15
    assert loop_cycles(M4_STEP_PAIRS, "cortex-m4").cycles == 16


def test_causes_add_up_to_cycles():
    for core in ("cortex-m4", "cortex-m7"):
        cost = loop_cycles("1: ldr r3, [r0], #4\n smlad r4, r3, r5, r4\n subs r6, #1\n bne 1b", core)
        assert sum(cost.causes.values()) == cost.cycles


def test_listing_says_what_holds_an_instruction():
    listing = loop_cycles("ldr r3, [r0]\n smlad r4, r3, r5, r4", "cortex-m7").listing().splitlines()
    assert len(listing) == 2 and listing[1].endswith("; waits for r3 to be loaded")


def test_unknown_instructions_are_refused_by_name():
    with pytest.raises(CycleModelError, match="udf"):
        loop_cycles("udf #0\n ldc p6, c1, [r0]", "cortex-m4")


def test_loops_of_a_function(tmp_path):
    source, obj = tmp_path / "f.S", tmp_path / "f.o"
    source.write_text(
        ".syntax unified\n.thumb\n.text\n.global f\n.type f, %function\n.thumb_func\nf:\n"
        "ldr r1, =0x12345678\n1: movs r2, #8\n2: ldr r3, [r0], #4\n smlad r4, r3, r1, r4\n subs r2, #1\n bne 2b\n"
        "subs r5, #1\n bne 1b\n bx lr\n.ltorg\n.size f, .-f\n"
    )
    subprocess.run([find("arm").cc, "-mcpu=cortex-m4", "-mthumb", "-c", source, "-o", obj], check=True, timeout=60)
    (loop,) = function_loops(obj, "f", "cortex-m4")
    # LDR 2, SMLAD 1, SUBS 1, BNE 2, and for its target 3 more, a 32-bit load, and 1 more off a word boundary
    assert loop.cost.cycles == 9 + (loop.begin % 4 != 0)
    assert loop.cost.instructions == 4
    with pytest.raises(CycleModelError, match="no function g"):
        function_loops(obj, "g", "cortex-m4")
    with pytest.raises(CycleModelError, match="cannot be read"):
        function_loops(source, "f", "cortex-m4")


def test_refusals():
    with pytest.raises(CycleModelError, match="empty"):
        loop_cycles((), "cortex-m4")
    with pytest.raises(BuildError):
        loop_cycles("frobnicate r0", "cortex-m4")
    with pytest.raises(CycleTableError, match="cortex-m99"):
        loop_cycles("nop", "cortex-m99")
