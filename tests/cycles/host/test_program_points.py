"""Regions of a program that its image describes: markers that are whole, damaged, or of code that is gone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cycles.programs import points as module
from harness.cycles.programs.points import MOST_REGIONS, Point, find_points
from harness.elf.symbols import Symbol
from harness.errors import ProfileError

ELF = Path("app.elf")
SYMBOLS = tuple(
    Symbol(name, "function", 0x100 * number, 0x80, 1, "")
    for number, name in enumerate(("main", "conv_a", "conv_b", "fc", "twin", "twin"), 1)
)


@pytest.fixture(autouse=True)
def image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_symbols", lambda elf: SYMBOLS)
    monkeypatch.setattr(module, "read_debug_section", lambda elf, name: b"")


def marked(monkeypatch: pytest.MonkeyPatch, *marks: tuple[int, str]) -> None:
    data = b"".join(address.to_bytes(4, "little") + text.encode() + b"\0" for address, text in marks)
    monkeypatch.setattr(module, "read_debug_section", lambda elf, name: data)


def test_functions_by_pattern_each_once() -> None:
    found = find_points(ELF, "main", None, ["conv*", "*a*", "fc"])
    assert found.names == ("main", "conv_a", "conv_b", "fc")
    assert found.points == (
        Point(0x100, "call", 0), Point(0x200, "call", 1), Point(0x300, "call", 2), Point(0x400, "call", 3),
    )  # fmt: skip


def test_static_functions_of_one_name_are_one_region() -> None:
    found = find_points(ELF, "main", None, ["twin"])
    assert found.names == ("main", "twin") and [point.address for point in found.points] == [0x100, 0x500, 0x600]
    with pytest.raises(ProfileError, match="2 symbols twin") as caught:
        find_points(ELF, "twin", None)
    assert "0x00000500, 0x00000600" in caught.value.hint


def test_at_one_address_the_function_begins_first_and_markers_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    marked(monkeypatch, (0x200, "eold"), (0x201, "bnew"), (0x200, "enew"), (0, "bgone"))
    found = find_points(ELF, "main", "conv_a", ["conv_a"])
    assert found.names == ("main to conv_a", "conv_a", "old", "new")
    assert [(point.kind, point.region) for point in found.points if point.address == 0x200] == [
        ("end", 0), ("call", 1), ("end", 2), ("begin", 3), ("end", 3),
    ]  # fmt: skip


@given(st.binary(min_size=1, max_size=60))
def test_damaged_markers_are_refused_or_read(data: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_symbols", lambda elf: SYMBOLS)
        patch.setattr(module, "read_debug_section", lambda elf, name: data)
        try:
            found = find_points(ELF, "main", None)
        except ProfileError as error:
            assert "markers are damaged at byte" in error.message and "--markers" in error.hint
        else:
            assert all(point.region < len(found.names) for point in found.points)


def test_too_many_regions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(0)
    many = [(rng.randrange(2, 1 << 32), f"bregion {number}") for number in range(MOST_REGIONS)]
    marked(monkeypatch, *many)
    with pytest.raises(ProfileError, match="2,001 regions"):
        find_points(ELF, "main", None)
