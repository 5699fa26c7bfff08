"""The examples on emulated boards: every layer is TFLM's, their tasks are done, and a sound becomes words."""

from __future__ import annotations

import os

import pytest

from fixtures.scripts.ctc import decode
from fixtures.scripts.examples import EXAMPLES as MAKERS
from fixtures.scripts.examples.streaming_keyword import CLASSES
from harness.validate.card import load_card
from harness.validate.options import Options
from harness.validate.outcome import Outcome
from harness.validate.workbench import Workbench
from tests.support.paths import EXAMPLES

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


@pytest.mark.parametrize(("name", "board"), RUNS)
def test_an_example_keeps_its_card(bench: Workbench, name: str, board: str) -> None:
    outcome = validated(bench, name, board)
    assert outcome.measurement.arena_high == outcome.plan.arena_size


@pytest.mark.parametrize("board", ["mps2-an500", "mps3-an547"])
def test_a_wav_goes_in_and_words_come_out(bench: Workbench, board: str) -> None:
    outcome = validated(bench, "streaming_keyword", board)
    kinds = {node.op for node in outcome.graph.nodes}
    assert {"SignalFramer", "SignalRfft", "SignalPCAN", "CONV_2D", "SOFTMAX", "ARG_MAX"} <= kinds
    said = [int(word.item()) for word, _ in outcome.measurement.outputs]
    assert [CLASSES[k] for k in decode(said)] == ["yes", "stop"]
