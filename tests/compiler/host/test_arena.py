"""The planner never puts two live values on one byte beyond what their overlap allows, and finds small arenas."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.compile import compile_graph
from harness.compiler.memory.arena import ALIGNMENT, aligned, allocate, lower_bound
from harness.compiler.memory.lifetimes import Value, liveness_bound
from harness.compiler.memory.overlap import Overlap
from harness.frontends import load
from tests.support.models import real_model
from tests.support.scale import scaled

Problem = tuple[list[Value], dict[tuple[int, int], Overlap]]


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Random lifetimes, some values inside others, some written over the one that ends where they begin."""
    found: list[Value] = []
    overlaps: dict[tuple[int, int], Overlap] = {}
    for index in range(draw(st.integers(1, 14))):
        first = draw(st.integers(-1, 12))
        last = draw(st.integers(first, 13))
        size = draw(st.integers(1, 5000))
        roots = [i for i, v in enumerate(found) if v.inside is None and v.size > size + 4]
        inside, at = None, 0
        if roots and draw(st.integers(0, 4)) == 0:
            inside = draw(st.sampled_from(roots))
            at = draw(st.integers(0, (found[inside].size - size) // ALIGNMENT)) * ALIGNMENT
        found.append(Value(f"v{index}", size, first, last, (index,), None, inside, at))
    for i, v in enumerate(found):
        for j, w in enumerate(found):
            if i != j and v.first == w.last and v.first < v.last and draw(st.booleans()):
                below = draw(st.integers(-v.size, w.size))
                above = draw(st.integers(below, w.size + 1))
                point = draw(st.sampled_from([None, 0, -64]))
                overlaps[i, j] = Overlap(below, above, point)
    return found, overlaps


@settings(max_examples=scaled(200, 3000), deadline=None)
@given(problems())
def test_no_two_live_values_share_a_byte_that_they_must_not(problem: Problem) -> None:
    found, overlaps = problem
    placed = allocate(found, overlaps, trials=20, nodes=50)
    root = [i if v.inside is None else v.inside for i, v in enumerate(found)]
    for i, (v, at) in enumerate(zip(found, placed.offsets, strict=True)):
        assert at % ALIGNMENT == 0 and at >= 0 and at + v.size <= placed.size
        assert at == placed.offsets[root[i]] + v.at
        for j, w in enumerate(found[:i]):
            if root[i] == root[j] or v.first > w.last or w.first > v.last:
                continue
            over, under = (i, j) if (i, j) in overlaps else (j, i)
            distance = placed.offsets[over] - placed.offsets[under]
            if (over, under) in overlaps and overlaps[over, under].allows(distance):
                continue
            assert at + v.size <= placed.offsets[j] or placed.offsets[j] + w.size <= at


@settings(max_examples=scaled(150, 2000), deadline=None)
@given(problems())
def test_the_arena_is_between_its_bounds(problem: Problem) -> None:
    found, overlaps = problem
    placed = allocate(found, overlaps, trials=50, nodes=200)
    assert placed.bound == lower_bound(found, overlaps) <= placed.size <= sum(aligned(v.size) for v in found)
    assert placed.bound <= liveness_bound(found, 13)
    apart = allocate([replace(v, inside=None, at=0) for v in found], {}, trials=0, nodes=0)
    assert placed.size <= apart.size or any(v.inside is not None for v in found)


def test_the_same_values_are_always_placed_alike() -> None:
    found = [Value(f"v{i}", 100 + 37 * i % 90, i % 5, i % 5 + i % 3, (i,)) for i in range(14)]
    assert allocate(found) == allocate(found)


def test_the_search_beats_first_fit_by_size() -> None:
    # By size, c and d would not fit beside each other under the hole that a leaves.
    found = [
        Value("a", 40, 0, 1, (0,)),
        Value("b", 60, 1, 2, (1,)),
        Value("c", 40, 2, 3, (2,)),
        Value("d", 60, 3, 4, (3,)),
        Value("e", 20, 0, 4, (4,)),
    ]
    assert allocate(found).size == liveness_bound(found, 5) == 120
    assert allocate(found).proved


def test_an_output_is_put_as_far_over_its_input_as_it_may() -> None:
    found = [Value("x", 400, -1, 0, (0,)), Value("y", 400, 0, 1, (1,))]
    for overlap, size in (
        (Overlap(-400, 400), 800),
        (Overlap(-64, 400), 464),
        (Overlap(-63, 400), 464),
        (Overlap(0, 400), 400),
        (Overlap(-400, 40), 440),
        (Overlap(-400, 400, 0), 400),
        (Overlap(-400, 400, -64), 464),
    ):
        placed = allocate(found, {(1, 0): overlap})
        assert placed.size == size and overlap.allows(placed.offsets[1] - placed.offsets[0]), overlap


def test_parts_leave_their_bytes_as_soon_as_they_die() -> None:
    # The whole is dead when only its second half is still needed: c fits under that.
    found = [
        Value("whole", 200, 0, 1, (0,)),
        Value("half", 100, 0, 3, (1,), inside=0, at=100),
        Value("c", 100, 2, 3, (2,)),
    ]
    assert allocate(found).size == 200


def test_real_models_need_far_less_than_the_liveness_bound() -> None:
    for name, most in (("kws", 9100), ("vww", 39_400), ("ic", 35_600), ("ad", 1300), ("sww", 4600)):
        plan = compile_graph(load(real_model(f"mlperftiny_{name}_int8")), core="cortex-m3")
        assert plan.arena_size <= min(most, plan.liveness_bound), name
