"""The engine on profiles of short texts, against figures worked out by hand."""

import pytest

from harness.cycles.assembly import assemble_bytes
from harness.cycles.board_tables import board_table, setup
from harness.cycles.engine import estimate
from harness.cycles.pipeline import Cause
from harness.cycles.profile import Misses
from harness.cycles.walk import ORIGIN, walk
from harness.errors import CycleModelError
from harness.units import Unit

LOOP = """
    movs r5, #0
1:  ldr r3, [r0]
    ldr r4, [r1]
    smlad r2, r3, r4, r2
    subs r5, #1
    bne 1b
    bx lr
"""


def profile(core, trips, runs=1):
    return walk(assemble_bytes(LOOP, core), core, trips=trips, repeat=runs)


def causes(found):
    return {cause: quantity.value for cause, quantity in found.causes.items() if quantity.value}


@pytest.mark.parametrize("iterations", [1, 2, 100])
def test_m4_loop(iterations):
    layer = estimate(profile("cortex-m4", iterations), None).layers[0]
    n = iterations
    assert layer.instructions.value == 2 + 5 * n
    # MOV 1; two loads in a chain 3, SMLAD 1, SUBS 1, BNE 1 and 1 more when taken; BX 1 + 2
    assert layer.cycles.value == 1 + 6 * n + (n - 1) + 3
    assert causes(layer) == {k: v for k, v in {
        Cause.ISSUE: 2 + 5 * n, Cause.LOAD_USE: n, Cause.BRANCH: (n - 1) + 2}.items() if v}  # fmt: skip


@pytest.mark.parametrize("runs", [1, 7])
def test_m7_loop(runs):
    n = 50
    layer = estimate(profile("cortex-m7", n, runs), None).layers[0]
    # An iteration: LDR (the second may share its bank) in two cycles; SMLAD two cycles after the second, SUBS
    # beside it; BNE: 5. The very first LDR goes beside the MOV. The exit is mispredicted, flags too late: 8.
    assert layer.cycles.value == runs * (1 + 4 + 5 * (n - 1) + 8 + 1)
    assert layer.causes[Cause.BRANCH].value == runs * 8


def test_layers_add_up_and_bounds_hold_the_total():
    found = estimate(profile("cortex-m4", 9), None)
    assert found.cycles.value == sum(layer.cycles.value for layer in found.layers)
    assert found.cycles.unit is Unit.MODELLED_CYCLES
    assert found.low < found.cycles < found.high
    assert sum(q.value for q in found.causes.values()) == found.cycles.value
    assert found.milliseconds is None


def test_memory_stalls_are_misses_times_what_a_line_costs():
    walked = profile("cortex-m4", 10)
    board = setup(board_table("nucleo-l4r5"), {"weights": "flash", "code": "flash"})
    core = estimate(walked, None).cycles.value
    missed = Misses({(ORIGIN, "flash"): 10}, {(ORIGIN, "flash"): 5}, {(ORIGIN + 2, "flash"): 100}, {})
    found = estimate(walked, board, misses=[missed])
    # At 5 wait states a missed read costs 5 cycles.
    assert found.layers[0].causes[Cause.FETCH].value == 10 * 5
    assert found.layers[0].causes[Cause.DATA].value == 100 * 5
    assert found.cycles.value == core + 50 + 500
    assert found.label == "estimated, ±9 %" and found.validated
    assert found.milliseconds == pytest.approx(found.cycles.value / 120e6 * 1e3)
    slower = setup(board_table("nucleo-l4r5"), {}, flash="single-bank", clock_hz=80_000_000)
    assert not estimate(walked, slower, misses=[missed]).validated
    with pytest.raises(CycleModelError, match="0 layers"):
        estimate(walked, board)


def test_hot_blocks_are_listed_with_what_holds_them():
    layer = estimate(profile("cortex-m7", 50), None).layers[0]
    hottest = layer.blocks[0]
    assert (hottest.address, hottest.count, hottest.loops) == (ORIGIN + 2, 50, True)
    assert len(hottest.listing()) == 5
    assert "waits for r4 to be loaded" in "\n".join(hottest.listing())
    assert sum(block.cycles.value for block in layer.blocks) == layer.cycles.value


def test_unknown_instructions_are_named_and_widen_the_bounds():
    text = "movs r0, #1\n ldc p6, c1, [r0]\n bx lr"
    found = estimate(walk(assemble_bytes(text, "cortex-m4"), "cortex-m4"), None)
    assert found.unknown == {"ed90 1600": 1}
    text = text.replace("ldc p6, c1, [r0]", "nop.w")
    plain = estimate(walk(assemble_bytes(text, "cortex-m4"), "cortex-m4"), None)
    assert found.cycles == plain.cycles
    assert found.high.value > plain.high.value + 10
