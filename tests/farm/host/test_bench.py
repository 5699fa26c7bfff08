"""The file of a bench, and the refusals of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import BoardConfigError, FarmFileError
from harness.farm.bench import load_bench

GOOD = """
name: bench-a
boards:
  one: {board: mps2-an386}
  two: {board: nucleo-h743, probe: 066CFF, tags: {rack: a}, power: {cls: NetworkPowerPort, params: {index: 2}}}
"""


def test_a_bench(tmp_path: Path) -> None:
    file = tmp_path / "bench.yaml"
    file.write_text(GOOD)
    bench = load_bench(file)
    assert list(bench.boards) == ["one", "two"]
    two = bench.boards["two"]
    assert (two.probe, dict(two.tags)) == ("066CFF", {"rack": "a"})
    assert two.power is not None and two.power.params == {"index": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name"),
        ("- a", "not a mapping"),
        ("name: a", "boards"),
        ("name: a\nboards: {}", "boards"),
        ("name: A b\nboards: {x: {board: host}}", "name"),
        ("name: a\nboards: {X/Y: {board: host}}", "boards"),
        ("name: a\nboards: {x: {}}", "boards.x.board"),
        ("name: a\nboards: {x: {board: host, colour: red}}", "boards.x.colour"),
        ("name: a\nboards: {x: {board: host, tags: {state: ready}}}", "boards.x.tags.state"),
        ("name: a\nboards: {x: {board: host}, x: {board: host}}", "given twice"),
        ("name: a\nboards: [", "bench.yaml:3:1: "),
        ("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]", "alias"),
    ],
)
def test_wrong_files_are_refused_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bench.yaml"
    file.write_text(text)
    with pytest.raises(FarmFileError) as caught:
        load_bench(file)
    assert str(file) in caught.value.message and said in caught.value.message


def test_a_missing_file_bytes_that_are_no_text_and_an_unknown_board(tmp_path: Path) -> None:
    with pytest.raises(FarmFileError, match=r"gone\.yaml: cannot be read"):
        load_bench(tmp_path / "gone.yaml")
    file = tmp_path / "bench.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FarmFileError):
        load_bench(file)
    file.write_text("name: a\nboards: {x: {board: nucleo-h734}}")
    with pytest.raises(BoardConfigError, match="nucleo-h734"):
        load_bench(file)
