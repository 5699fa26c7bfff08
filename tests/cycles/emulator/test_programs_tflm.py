"""Modelled cycles of TFLM on the Cortex-M55: the same instructions as its runtime counts, operator by operator."""

from __future__ import annotations

import json

import numpy as np
import pytest

from harness import frontends
from harness.boards import resolve
from harness.cycles.programs.tflm import profile_tflm, tflm_document
from harness.ir.graph import Graph
from harness.runtimes import RUNTIMES, TFLM
from tests.support.command import called
from tests.support.generated import random_graph
from tests.support.paths import FIXTURES
from tests.support.tflm_live import tflm_runner

BOARD = "mps3-an547"
ITS_CALL = 1  # the instruction that calls Invoke()


def compared(graph: Graph) -> None:
    zeros = [np.zeros(graph.tensors[t].shape, graph.tensors[t].dtype.numpy) for t in graph.inputs]
    counted = RUNTIMES.get(TFLM).run(graph, resolve(BOARD).runs_on, [zeros])
    document = tflm_document(profile_tflm(tflm_runner(), graph, zeros), graph)
    found = [layer["instructions"]["value"] for layer in document["layers"]]
    assert [layer["op"] for layer in document["layers"]] == list(graph.source_ops)
    assert found == [counted.operators[0] + ITS_CALL, *counted.operators[1:]]
    assert document["instructions"]["value"] == sum(found) == counted.total + ITS_CALL
    cycles = [layer["cycles"]["value"] for layer in document["layers"]]
    assert sum(cycles) == document["cycles"]["value"] and min(cycles) > 0


def test_instructions_by_operator_are_those_of_the_runtime() -> None:
    compared(frontends.load(FIXTURES / "digits.tflite"))


@pytest.mark.parametrize("kind", ["WHILE", "IF"])
def test_what_runs_within_an_operator_is_its_own(kind: str) -> None:
    compared(random_graph(np.random.default_rng(1), kind))


def test_the_command_shows_both_side_by_side() -> None:
    tflm_runner()
    shown = called("profile", FIXTURES / "digits.tflite", "-b", BOARD, "--runtime", "both")
    assert shown.returncode == 0, shown.stderr
    assert "modelled cycles, cortex-m55: tflm" in shown.stdout and "times as many" in shown.stdout
    alone = json.loads(called("profile", FIXTURES / "digits.tflite", "-b", BOARD, "--runtime", "tflm", "--json").stdout)
    assert {layer["kernel"] for layer in alone["modelled"]["layers"]} == {"TFLM"}
