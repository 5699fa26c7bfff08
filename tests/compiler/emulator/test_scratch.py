"""Scratch apart from the arena, and weights copied ahead, on the cores."""

from __future__ import annotations

import numpy as np
import pytest

from harness.boards import find_board
from harness.hardware.target import Target
from tests.support.compiled import VECTORS, check_on_board
from tests.support.generated import random_graph
from tests.support.perceptrons import perceptron
from tests.support.scale import scaled


@pytest.mark.parametrize("board", scaled(["mps2-an500"], ["mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"]))
def test_networks_with_scratch_apart_equal_the_specification(board: str) -> None:
    rng = np.random.default_rng(179)
    kinds = ("ROWS", "CHAIN", "CONV_2D", "DEPTHWISE_CONV_2D")
    found = [random_graph(rng, op=kinds[i % len(kinds)]) for i in range(scaled(6, 80))]
    target = Target(find_board(board).core, scratch_apart=True)
    assert check_on_board(found, board, target=target) == len(found) * VECTORS


@pytest.mark.parametrize("board", scaled(["mps2-an500"], ["mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547"]))
def test_perceptrons_with_weights_copied_ahead_equal_the_specification(board: str) -> None:
    graphs = [perceptron(seed) for seed in range(100, 100 + scaled(4, 60))]
    assert check_on_board(graphs, board, prefetch=4096) == len(graphs) * VECTORS
