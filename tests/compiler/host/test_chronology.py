"""Layouts in the order of time: a value with enough room finds a place wherever others lie, and may come last."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.memory.chronology import Exclusion, placed_within, room
from tests.support.scale import scaled

ALIGNS = st.sampled_from((1, 4, 16))


@settings(max_examples=scaled(200, 3000), deadline=None)
@given(st.data())
def test_a_value_with_room_finds_a_place_wherever_others_lie(data: st.DataObject) -> None:
    size, align = data.draw(st.integers(1, 60)), data.draw(ALIGNS)
    spans = data.draw(st.lists(st.tuples(st.integers(-60, 20), st.integers(2, 80)), max_size=4))
    limit = room(size, align, [length for _, length in spans]) + data.draw(st.integers(0, 20))
    lows = [low + data.draw(st.integers(0, limit)) for low, _ in spans]
    taken = [(low, low + length) for low, (_, length) in zip(lows, spans, strict=True)]
    places = range(0, limit - size + 1, align)
    assert any(all(not low < x < high for low, high in taken) for x in places)


@st.composite
def chains(draw: st.DrawFn) -> tuple[int, list[int], list[int], list[list[Exclusion]]]:
    """A limit, and values that keep apart from some before them, as a network's do."""
    count = draw(st.integers(1, 12))
    sizes = [draw(st.integers(1, 40)) for _ in range(count)]
    aligns = [draw(ALIGNS) for _ in range(count)]
    before: list[list[Exclusion]] = []
    for value in range(count):
        others = draw(st.sets(st.integers(max(0, value - 4), value - 1), max_size=3)) if value else set()
        ends = [(draw(st.integers(0, sizes[value])), draw(st.integers(1, sizes[i]))) for i in sorted(others)]
        before.append([(i, -low, high) for i, (low, high) in zip(sorted(others), ends, strict=True)])
    return draw(st.integers(30, 130)), sizes, aligns, before


@settings(max_examples=scaled(200, 3000), deadline=None)
@given(chains())
def test_what_is_found_keeps_apart(problem: tuple[int, list[int], list[int], list[list[Exclusion]]]) -> None:
    limit, sizes, aligns, before = problem
    found = placed_within(limit, sizes, aligns, before)
    for value, at in enumerate(found or ()):
        assert at % aligns[value] == 0 and 0 <= at <= limit - sizes[value]
        assert all(not low < at - found[other] < high for other, low, high in before[value])
