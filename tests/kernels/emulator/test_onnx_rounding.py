"""Kernels that round as ONNX Runtime does on emulated cores, equal to the specification.

The Cortex-M3 has no floating-point unit: there the compiler's soft float computes the same bits.
"""

from __future__ import annotations

import pytest

from tests.support.compiled import VECTORS, check_on_board
from tests.support.onnx_rounded import rounded_graphs
from tests.support.scale import scaled

DSP = ("ConvS8FloatDsp", "FullyConnectedS8FloatDsp")
LINES = ("ConvS8LineDsp", "FullyConnectedS8LineDsp", "DepthwiseConv3x3S8Dsp", "DepthwiseConvS8Dsp", "AddS8Dsp")
STAGED = ("ConvS8FloatStaged",)
MVE = ("Conv1x1S8Mve", "ConvS8Mve", "FullyConnectedS8Mve", "Conv1x1FewS8Mve", "DepthwiseConvS8Mve", "AddLinearS8Mve")
ROWS = ("FullyConnectedRowsS8Mve", "ConvSmallStripS8Mve")
CASES = (
    ("mps2-an385", ()),
    ("mps2-an386", DSP),
    ("mps3-an547", MVE),
    *scaled((), (("mps2-an386", LINES), ("mps2-an386", STAGED), ("mps2-an500", DSP), ("mps2-an505", DSP))),
    *scaled((), (("mps3-an547", ROWS), ("mps3-an547", DSP), ("mps3-an547", ()), ("mps2-an500", LINES))),
)


@pytest.mark.parametrize(("board", "prefer"), CASES, ids=[f"{board}-{'-'.join(names)[:20]}" for board, names in CASES])
def test_random_graphs_equal_the_specification(board: str, prefer: tuple[str, ...]) -> None:
    graphs = rounded_graphs(len(prefer), scaled(14, 140))
    assert check_on_board(graphs, board, prefer=prefer) == len(graphs) * VECTORS
