"""What the compiler is told of a board's memory."""

from __future__ import annotations

import pytest

from harness.boards import load_boards, resolve
from harness.cycles.targets import target_of, target_of_run
from harness.errors import PlacementError
from harness.hardware.placement import assign_regions
from harness.hardware.target import Cached, Target

L4R5 = load_boards()["nucleo-l4r5"]


def test_an_emulated_board_has_no_wait_states() -> None:
    assert target_of(load_boards()["mps2-an386"]) == Target("cortex-m4")


def test_wait_states_come_from_the_cycle_table() -> None:
    target = target_of(load_boards()["nucleo-l4r5"])
    assert target.weight_stall == pytest.approx(5 / 2)  # a read of 64 bits brings two words, whatever a line holds
    assert target.weights is not None and target.weights.size == 8 * 4 * 8 and target.code_cache == 1024
    assert target.arena is None and target.separate_data_bus


def test_a_miss_of_a_sectored_cache_is_priced_by_what_it_fills() -> None:
    """Lines of 32 bytes, of which a miss reads 8: else a line of four reads would cost one."""
    target = target_of(L4R5)
    assert target.weights == Cached(sets=1, ways=32, line=8, load=5) and target.code == Cached(1, 128, 8, 5)


def test_weights_in_sram_are_not_waited_for() -> None:
    target = target_of(L4R5, assign_regions(L4R5, {"weights": "sram", "code": "sram2"}))
    assert target == Target("cortex-m4", separate_data_bus=True, ram=target.ram)


def test_what_fits_the_cache_is_waited_for_once() -> None:
    cache = Cached(sets=128, ways=4, line=32, load=20)
    assert cache.size == 16384
    assert cache.missed(4096, 100) == 4096 / 32
    assert cache.missed(16384, 100) == 512
    assert cache.missed(32768, 100) == 100 * 1024
    # 576 lines: 64 of 128 sets have five, which push each other out; the others keep their four.
    assert cache.missed(576 * 32, 2) == 576 + 320
    assert cache.missed(576 * 32, 2, beside=64 * 32) == 576 + 320 + 128  # half the others lose a way
    assert Target("cortex-m7", weights=cache).weight_stalls(4096, 100) == 128 * 20


def test_a_stand_in_runs_the_code_of_the_board_that_was_asked_for() -> None:
    assert target_of_run(resolve("nucleo-l4r5")) == target_of(load_boards()["nucleo-l4r5"])


def test_no_such_region_is_refused() -> None:
    with pytest.raises(PlacementError, match="dtcm"):
        target_of(L4R5, assign_regions(L4R5, {"weights": "dtcm"}))
