"""The planner never puts two live values on one byte, and finds small arenas."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler import compile_graph
from harness.frontends import load
from harness.lifetimes import Value, liveness_bound
from harness.planner import ALIGNMENT, aligned, blocks_of, lower_bound, place
from tests.support.models import real_model
from tests.support.scale import scaled


@st.composite
def values(draw: st.DrawFn) -> list[Value]:
    """Random lifetimes, some values computed over the one that ends where they begin."""
    found: list[Value] = []
    for index in range(draw(st.integers(1, 14))):
        first = draw(st.integers(-1, 12))
        last = draw(st.integers(first, 13))
        ended = [i for i, v in enumerate(found) if v.last == first and first >= 0 and all(o.over != i for o in found)]
        over = draw(st.sampled_from([None, *ended]))
        found.append(Value(f"v{index}", draw(st.integers(1, 5000)), first, last, over=over))
    return found


@settings(max_examples=scaled(150, 3000), deadline=None)
@given(values())
def test_no_two_live_values_share_a_byte(found: list[Value]) -> None:
    offsets, size = place(found, trials=20)
    for i, (v, at) in enumerate(zip(found, offsets, strict=True)):
        assert at % ALIGNMENT == 0 and at >= 0 and at + v.size <= size
        if v.over is not None:
            assert at == offsets[v.over]
        for j in range(i):
            w = found[j]
            if v.over == j or w.over == i or v.first > w.last or w.first > v.last:
                continue
            chained = any({i, j} <= set(block.values) for block in blocks_of(found))
            assert chained or at + v.size <= offsets[j] or offsets[j] + w.size <= at


@settings(max_examples=scaled(100, 2000), deadline=None)
@given(values())
def test_the_arena_is_between_its_bounds(found: list[Value]) -> None:
    _, size = place(found, trials=50)
    assert lower_bound(blocks_of(found)) <= size <= sum(aligned(v.size) for v in found)


def test_the_search_beats_first_fit_by_size() -> None:
    # By size, c and d would not fit beside each other under the hole that a leaves.
    found = [
        Value("a", 40, 0, 1),
        Value("b", 60, 1, 2),
        Value("c", 40, 2, 3),
        Value("d", 60, 3, 4),
        Value("e", 20, 0, 4),
    ]
    assert place(found)[1] == liveness_bound(found, 5) == 120


def test_real_models_need_no_more_than_the_liveness_bound() -> None:
    for name in ("kws", "vww", "ic", "ad", "sww"):
        plan = compile_graph(load(real_model(f"mlperftiny_{name}_int8")))
        assert plan.arena_size <= plan.liveness_bound + ALIGNMENT, name
