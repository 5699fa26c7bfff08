"""The examples on emulated boards: every layer is TFLM's, their tasks are done, and a sound becomes words."""

from __future__ import annotations

import os
import re

import pytest

from fixtures.scripts.ctc import decode
from fixtures.scripts.examples import EXAMPLES as MAKERS
from fixtures.scripts.examples.streaming_keyword import CLASSES
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from tests.support.paths import EXAMPLES, REPOSITORY

BOARDS = ("mps2-an386", "mps2-an500", "mps3-an547")
RUNS = [
    (name, board)
    for i, name in enumerate(MAKERS)
    for j, board in enumerate(BOARDS)
    if i % len(BOARDS) == j or os.environ.get("TINYHIL_LONG") == "1"
]


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench()


def validated(bench: Workbench, name: str, board: str) -> Outcome:
    outcome = bench.validate(load_card(EXAMPLES / f"{name}.hil.yaml"), board, Options(opinions=()))
    assert outcome.passed, outcome.explain()
    return outcome


def shown(name: str) -> tuple[int, ...]:
    """Flash, RAM and instructions on BOARDS, as docs/examples.md has them."""
    page = (REPOSITORY / "docs" / "examples.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{name}` \|[^|]*((?:\| [\d,]+ ){{5}})\|$", page, re.MULTILINE)
    return tuple(int(cell.replace(",", "")) for cell in row.split("|")[1:])


@pytest.mark.parametrize(("name", "board"), RUNS)
def test_an_example_keeps_its_card_and_the_page_has_its_figures(bench: Workbench, name: str, board: str) -> None:
    outcome = validated(bench, name, board)
    measured = outcome.measurement
    assert measured.arena_high == outcome.plan.arena_size
    flash, ram, *instructions = shown(name)
    assert measured.total == pytest.approx(instructions[BOARDS.index(board)], rel=0.1)
    if board == BOARDS[0]:
        assert outcome.image.sizes.network.flash == pytest.approx(flash, rel=0.1)
        assert measured.arena_high + measured.stack_high == pytest.approx(ram, rel=0.1)


@pytest.mark.parametrize("board", ["mps2-an500", "mps3-an547"])
def test_a_wav_goes_in_and_words_come_out(bench: Workbench, board: str) -> None:
    outcome = validated(bench, "streaming_keyword", board)
    kinds = {node.op for node in outcome.graph.nodes}
    assert {"SignalFramer", "SignalRfft", "SignalPCAN", "CONV_2D", "SOFTMAX", "ARG_MAX"} <= kinds
    said = [int(word.item()) for word, _ in outcome.measurement.outputs]
    assert [CLASSES[k] for k in decode(said)] == ["yes", "stop"]
