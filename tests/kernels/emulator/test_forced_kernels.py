"""Kernels that the cost model might not choose, each over random graphs of its operator: equal to the specification."""

from __future__ import annotations

import numpy as np
import pytest

from harness.boards import load_boards
from harness.compiler.compile import compile_graph
from harness.ir.graph import Graph
from tests.support.compiled import VECTORS, check_on_board
from tests.support.generated import random_graph
from tests.support.scale import scaled

LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM"
FORCED = (
    ("AddS8Dsp", "add_s8_dsp", "ADD", "mps2-an386"),
    ("AddS8Dsp", "add_s8_dsp", "ADD", "mps2-an500"),
    ("ConvS8Portable", "conv_s8_portable", "CONV_2D", "mps2-an385"),
    ("ConvS8Pairs", "conv_s8_pairs", "CONV_2D", "mps2-an385"),
    ("DepthwiseConvS8Portable", "depthwise_conv_s8_portable", "DEPTHWISE_CONV_2D", "mps2-an385"),
    ("DepthwiseConvS8Plane", "depthwise_conv_s8_plane", "DEPTHWISE_CONV_2D", "mps2-an385"),
    ("FullyConnectedS8Portable", "fully_connected_s8_portable", "FULLY_CONNECTED", "mps2-an385"),
    ("AddS8Linear", "add_s8_linear", "ADD", "mps2-an385"),
    ("MulS8Rounded", "mul_s8_rounded", "MUL", "mps2-an385"),
    ("MulS8Rounded", "mul_s8_rounded", "MUL", "mps2-an386"),
    ("AveragePoolS8Dsp", "average_pool_s8_dsp", "AVERAGE_POOL_2D", "mps2-an386"),
    ("MaxPoolS8Dsp", "max_pool_s8_dsp", "MAX_POOL_2D", "mps2-an386"),
    ("MeanS8Dsp", "mean_s8_dsp", "MEAN", "mps2-an386"),
    ("SvdfS8Dsp", "svdf_s8_dsp", "SVDF", "mps2-an386"),
    ("SvdfS8S16Dsp", "svdf_s8_s16_dsp", "SVDF", "mps2-an386"),
    ("SvdfS8Mve", "svdf_s8_mve", "SVDF", "mps3-an547"),
    ("SvdfS8S16Mve", "svdf_s8_s16_mve", "SVDF", "mps3-an547"),
    ("SvdfF32Portable", "svdf_f32_portable", "SVDF", "mps2-an386"),
    *(
        (kernel, function, op, board)
        for kernel, function, op in (
            ("ConvF32Chained", "conv_f32_chained", "CONV_2D"),
            ("DepthwiseConvF32Chained", "depthwise_conv_f32_chained", "DEPTHWISE_CONV_2D"),
            ("FullyConnectedF32Chained", "fully_connected_f32_chained", "FULLY_CONNECTED"),
        )
        for board in ("mps2-an386", "mps3-an547")
    ),
    ("ConvF32Portable", "conv_f32_portable", "CONV_2D", "mps2-an500"),
    ("DepthwiseConvF32Portable", "depthwise_conv_f32_portable", "DEPTHWISE_CONV_2D", "mps2-an500"),
    ("FullyConnectedF32Portable", "fully_connected_f32_portable", "FULLY_CONNECTED", "mps2-an500"),
    ("MovesTransposed", "transposed_copy", "TRANSPOSE", "mps2-an385"),
    ("MovesTransposedMve", "transposed_copy_mve", "TRANSPOSE", "mps3-an547"),
    ("ResizeNearestMve", "resize_nearest_mve", "RESIZE_NEAREST_NEIGHBOR", "mps3-an547"),
    ("ResizeBilinearS8Mve", "resize_bilinear_s8_mve", "RESIZE_BILINEAR", "mps3-an547"),
    ("ExtremeS8Dsp", "extreme_s8_dsp", "MINIMUM", "mps2-an386"),
    ("ExtremeS8Mve", "extreme_s8_mve", "MAXIMUM", "mps3-an547"),
    ("LstmS16Dsp", "lstm_s16_dsp", LSTM, "mps2-an386"),
    ("LstmS16Mve", "lstm_s16_mve", LSTM, "mps3-an547"),
    ("LstmF32Portable", "lstm_f32_portable", LSTM, "mps2-an386"),
    ("LstmS16Portable", "lstm_s16_portable", LSTM, "mps2-an385"),
    ("LstmS8Portable", "lstm_s8_portable", LSTM, "mps2-an385"),
    ("LstmS8GeneralDsp", "lstm_s8_general_dsp", LSTM, "mps2-an386"),
    ("LstmS8Dsp", "lstm_s8_dsp", LSTM, "mps2-an386"),
    ("LstmS8Mve", "lstm_s8_mve", LSTM, "mps3-an547"),
)


def graphs_for(kernel: str, function: str, op: str, core: str, count: int) -> list[Graph]:
    """Random graphs of one operator that the kernel computes, and at most ten times as many tried."""
    found = []
    for seed in range(10 * count):
        graph = random_graph(np.random.default_rng([seed, count]), op=op)
        if function in [layer.kernel for layer in compile_graph(graph, core=core, prefer={kernel}).layers]:
            found.append(graph)
        if len(found) == count:
            break
    assert len(found) == count
    return found


@pytest.mark.parametrize(("kernel", "function", "op", "board"), FORCED)
def test_forced(kernel: str, function: str, op: str, board: str) -> None:
    count = scaled(12, 150)
    graphs = graphs_for(kernel, function, op, load_boards()[board].core, count)
    assert check_on_board(graphs, board, prefer={kernel}) == count * VECTORS
