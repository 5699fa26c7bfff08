"""The profiler on emulated boards: exact counts, nothing but layers, no effect on what runs."""

import pytest

from tests.support.profiled import build_profiled, run_profiled

ROUNDS = 1001


@pytest.fixture(scope="module", params=[False, True], ids=["quiet", "interrupted"])
def profiled(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiled")
    layout, counted, interrupts = run_profiled(build_profiled(folder, ROUNDS, request.param), folder)
    assert (interrupts > 50) == request.param, "interrupts come when they are to, and then many"
    return layout, counted


def test_a_loop_of_known_rounds_is_counted_exactly(profiled):
    layout, counted = profiled
    loop = counted[0]
    start = layout.layers[0]
    assert loop.counts == {
        start: 1, start + 4: ROUNDS, start + 6: ROUNDS, start + 8: ROUNDS, start + 10: ROUNDS, start + 12: 1
    }  # fmt: skip
    assert {pair: times for pair, times in loop.transfers.items() if pair[0] == start + 10} == {
        (start + 10, start + 4): ROUNDS - 1
    }
    assert [times for (source, _), times in loop.transfers.items() if source == start + 12] == [1], "the return"
    assert loop.accesses == {}


def test_loads_and_stores_are_told_apart_and_counted_by_part(profiled):
    layout, counted = profiled
    memory = counted[1]
    by_part = {}
    for (_, part), (loads, stores) in memory.accesses.items():
        had = by_part.get(part, (0, 0))
        by_part[part] = (had[0] + loads, had[1] + stores)
    odd = (ROUNDS + 1) // 2
    assert by_part == {
        "data": (3 * ROUNDS + odd, 0),
        "arena": (0, 3 * ROUNDS + odd),
        "other": (ROUNDS + 1, ROUNDS + 1),  # the stack, which this image has no section for
        "code": (2, 0),
    }
    assert all(min(pair) == 0 for pair in memory.accesses.values()), "no instruction here does both"
    assert sum(memory.counts.values()) == 4 + 14 * ROUNDS + 1, "what a condition keeps from happening counts as well"


def test_functions_that_a_handler_calls_too_count_for_the_layer_alone(profiled):
    layout, counted = profiled
    calls = counted[2]
    assert sum(calls.counts.values()) == 2 + ROUNDS * (1 + 4 + 2 * 2 + 2) + 1
    assert sorted(times for times in calls.transfers.values()) == [1, ROUNDS - 1, *[ROUNDS] * 6]
