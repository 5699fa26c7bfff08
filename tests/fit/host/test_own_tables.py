"""Boards and cycle tables of a user's own are taken up within one process."""

from __future__ import annotations

import shutil

import yaml

from harness.fit import Wishes, fit, known_parts
from harness.frontends.tflite import reader
from harness.resources import data
from tests.support.paths import FIXTURES

GRAPH = reader.load(FIXTURES / "digits.tflite")
WISHES = Wishes(modes=("flash",))


def test_a_table_of_ones_own_counts_for_the_board_and_for_parts_like_it(tmp_path, monkeypatch):
    names = ("nucleo-f446", "stm32f411re")
    before = [fit(GRAPH, known_parts()[name], WISHES).best.time for name in names]
    table = yaml.safe_load(data("cycles", "boards", "nucleo-f446.yaml").read_text())
    table["error"] = 0.9
    (tmp_path / "nucleo-f446.yaml").write_text(yaml.safe_dump(table))
    monkeypatch.setenv("TINYHIL_CYCLE_TABLES", str(tmp_path))
    after = [fit(GRAPH, known_parts()[name], WISHES).best.time for name in names]
    for one, other in zip(before, after, strict=True):
        assert other.cycles == one.cycles
        assert other.error > one.error
        assert other.high > one.high


def test_a_board_of_ones_own_is_looked_at(tmp_path, monkeypatch):
    file = tmp_path / "boards.yaml"
    shutil.copy(data().parent.parent / "boards.yaml", file)
    entries = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({"bench-1": entries["nucleo-f446"]}))
    monkeypatch.setenv("TINYHIL_BOARDS", str(file))
    found = fit(GRAPH, known_parts()["bench-1"], WISHES)
    assert found.part.is_board
    assert not found.part.emulated
    assert found.best.time.memory.startswith("none to ")
    assert fit(GRAPH, known_parts()["mps2-an386"], WISHES).best.time.memory == "no wait states"
