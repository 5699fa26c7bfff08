"""Every MVE kernel over its whole domain equals the specification, on the emulated Cortex-M55."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.compiler.compile import compile_graph
from harness.compiler.plan import Layer, Plan
from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.window import Pads
from harness.kernels import (
    convolution_3x3_mve,
    convolution_columns_mve,
    convolution_mve,
    convolution_parts_mve,
    depthwise_mve,
    fully_connected_mve,
    movement_mve,
    quantization,
)
from harness.kernels.base import Kernel
from harness.kernels.context import Context
from harness.kernels.convolution_mve import Conv1x1S8Mve, ConvS8Mve, ConvSmallStripS8Mve
from harness.kernels.depthwise_mve import DepthwiseConv3x3SmallStripS8Mve, DepthwiseConvTilesS8Mve
from harness.kernels.fully_connected_mve import FullyConnectedUniformS8Mve
from harness.kernels.mve import mve_requant
from harness.kernels.numbers import SCALED, SCALED_TYPES
from harness.kernels.quantization import QuantizeIntegersMve
from harness.kernels.quantized_layer import quantized_layer
from harness.quantization.types import DType
from tests.support.compiled import VECTORS, check_on_board
from tests.support.draft import Rng, between, chance, pick
from tests.support.generated import random_graph
from tests.support.layers import (
    binary_layer,
    conv_layer,
    copy_layer,
    fully_connected_layer,
    mean_layer,
    pool_layer,
    tie_layer,
)
from tests.support.overlapped import Layer as Overlapped
from tests.support.overlapped import check as check_distances
from tests.support.overlapped import layer_of
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs

BOARD = "mps3-an547"
ONE_BY_ONE = next(k for k in convolution_mve.KERNELS if type(k) is Conv1x1S8Mve)
ANY_WINDOW = next(k for k in convolution_mve.KERNELS if type(k) is ConvS8Mve)
SMALL_STRIPS = next(k for k in convolution_mve.KERNELS if isinstance(k, ConvSmallStripS8Mve))
SHORT_STRIPS = next(k for k in depthwise_mve.KERNELS if isinstance(k, DepthwiseConv3x3SmallStripS8Mve))
PARTS = [
    (kernel, kernel.function, few)
    for kernel, few in zip(convolution_parts_mve.KERNELS, (range(1, 14), range(1, 8), (2, 2, 6)), strict=True)
]
"""With numbers of output channels a group."""
QUANTIZES = next(k for k in quantization.KERNELS if isinstance(k, QuantizeIntegersMve))
_COPIED = ("CONCATENATION", "SPLIT", "SPLIT_V", "STRIDED_SLICE", "PAD")


def check(graphs: Sequence[Graph], kernel: str, function: str) -> None:
    """The last node of every graph is computed by `kernel`, whose C function is `function`, and exactly.

    The few of which passes leave nothing to compute are checked as well.
    """
    found = [layer for graph in graphs for layer in _layers(graph, kernel) if layer.op == graph.nodes[-1].op]
    assert {layer.kernel for layer in found} == {function}
    assert len(found) >= 0.9 * len(graphs)
    assert check_on_board(list(graphs), BOARD, prefer={kernel}) == len(graphs) * VECTORS


def _plan(graph: Graph, kernel: str) -> Plan:
    return compile_graph(graph, core="cortex-m55", prefer={kernel})


def _layers(graph: Graph, kernel: str) -> Sequence[Layer]:
    return _plan(graph, kernel).layers


def _by_factors(graphs: Sequence[Graph]) -> list[Graph]:
    """Those whose last layer is requantized by factors: the others have other functions."""
    target = Target("cortex-m55")
    found = [g for g in graphs if mve_requant(quantized_layer(Context(g, g.nodes[-1], target))).by_factors]
    assert len(found) > 0.3 * len(graphs)
    return found


def _depth(rng: Rng) -> int:
    return pick(rng, 1, 8, 16, 16 * between(rng, 1, 6) + between(rng, 0, 8))


def test_conv_1x1() -> None:
    rng = np.random.default_rng(1)
    graphs = []
    for _ in range(scaled(30, 400)):
        image = (pick(rng, 1, 1, 2), between(rng, 1, 5), between(rng, 1, 5), _depth(rng))
        graphs.append(conv_layer(rng, image, between(rng, 4, 19)))
    check(graphs, "Conv1x1S8Mve", "conv_1x1_s8_mve")


def test_conv_1x1_of_eights() -> None:
    rng = np.random.default_rng(32)
    graphs = []
    for size in range(scaled(38, 380)):
        depth = max(16 * (size // 2 % 19) + size % 2 * between(rng, 1, 8), 1)
        image = (pick(rng, 1, 1, 2), between(rng, 1, 3), between(rng, 1, 3), depth)
        graphs.append(conv_layer(rng, image, 8 * between(rng, 1, 4), relu=chance(rng, 0.5)))
    check(_by_factors(graphs), "Conv1x1S8Mve", "conv_1x1_s8_mve")


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_functions_of_int16(op: str) -> None:
    halves = [found for found in combinations() if found[0] == op and found[1].x is DType.INT16]
    check(typed_graphs(halves, seed=5, each=scaled(20, 300)), "SigmoidS16Mve", "sigmoid_s16_mve")


def test_slopes_of_int16() -> None:
    ops = ("ABS", "LEAKY_RELU", "RELU", "RELU6")
    halves = [found for found in combinations() if found[0] in ops and found[1].x is DType.INT16]
    assert {op for op, *_ in halves} == set(ops)
    check(typed_graphs(halves, seed=7, each=scaled(3, 100)), "UnaryS16Mve", "unary_s16_mve")


def test_quantize_from_integer_to_integer() -> None:
    kinds = [found for found in combinations() if found[0] == "QUANTIZE" and found[1] in QuantizeIntegersMve.types]
    graphs = typed_graphs(kinds, seed=8, each=scaled(1, 60))
    check(_where_it_applies(graphs, QUANTIZES), "QuantizeIntegersMve", "quantize_integers_mve")


@pytest.mark.parametrize("op", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pools_of_int16(op: str) -> None:
    halves = [found for found in combinations() if found[0] == op and found[1].x is DType.INT16]
    check(typed_graphs(halves, seed=9, each=scaled(15, 150)), "PoolS16Mve", "pool_s16_mve")


def test_conv_1x1_of_few_channels() -> None:
    rng = np.random.default_rng(1)
    graphs = []
    for _ in range(scaled(20, 200)):
        image = (pick(rng, 1, 1, 2), between(rng, 1, 5), between(rng, 1, 5), between(rng, 1, 100))
        graphs.append(conv_layer(rng, image, between(rng, 1, 3)))
    check(graphs, "Conv1x1FewS8Mve", "fully_connected_s8_mve")


def _where_it_applies(graphs: Sequence[Graph], kernel: Kernel) -> list[Graph]:
    return [graph for graph in graphs if any(s.kernel is kernel for s in _plan(graph, type(kernel).__name__).steps)]


def _side(rng: Rng, kernel: int, stride: int, dilation: int) -> tuple[int, tuple[int, int]]:
    """Image size and padding (before, after) along one axis, with at least one window."""
    reach = (kernel - 1) * dilation + 1
    before, after = (between(rng, 0, reach - 1) if chance(rng, 0.6) else 0 for _ in range(2))
    return max(reach - before - after, 1) + between(rng, 0, 3 * stride), (before, after)


def _conv_layers(rng: Rng, count: int) -> list[Graph]:
    graphs = []
    for _ in range(count):
        kernel = pick(rng, (3, 3), (1, 1), (between(rng, 1, 5), between(rng, 1, 5)), (1, 3), (4, 1))
        stride = (between(rng, 1, 3), between(rng, 1, 3))
        dilation = (between(rng, 1, 3), 1)
        height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
        width, horizontal = _side(rng, kernel[1], stride[1], 1)
        pads = Pads(*vertical, *horizontal)
        depth = pick(rng, 1, 2, 3, 4, 8, 16, 32, between(rng, 1, 100), between(rng, 1, 30))
        image = (pick(rng, 1, 1, 2), height, width, depth)
        graphs.append(conv_layer(rng, image, between(rng, 4, 13), kernel, stride, dilation, pads))
    return graphs


def test_conv() -> None:
    graphs = _conv_layers(np.random.default_rng(3), scaled(60, 700))
    found = _where_it_applies(graphs, ANY_WINDOW)
    assert len(found) > 0.7 * len(graphs)
    check(found, "ConvS8Mve", "conv_s8_mve")


def test_single_taps_below_and_beside_the_image() -> None:
    """Padding on one side alone is padding: those windows are not read where they would lie."""
    rng = np.random.default_rng(22)
    sides = [Pads(bottom=1), Pads(bottom=2), Pads(right=1), Pads(top=1), Pads(left=1)]
    graphs = [conv_layer(rng, (1, 3, 4, 16), 5, kernel, pads=pads) for pads in sides for kernel in ((1, 1), (1, 4))]
    check(graphs, "ConvS8Mve", "conv_s8_mve")


def test_conv_with_small_strips() -> None:
    graphs = _conv_layers(np.random.default_rng(20), scaled(50, 600))
    small = _where_it_applies(graphs, SMALL_STRIPS)
    assert len(small) > len(graphs) / 4
    check(small, "ConvSmallStripS8Mve", "conv_s8_mve")


def _part_layers(rng: Rng, count: int, few: Sequence[int]) -> list[Graph]:
    """In groups, dilated along a row, of `few` output channels a group."""
    graphs = []
    for _ in range(count):
        kernel = pick(rng, (3, 3), (1, 1), (between(rng, 1, 5), between(rng, 1, 5)), (1, 3), (4, 1), (1, 7))
        stride = (between(rng, 1, 3), between(rng, 1, 3))
        dilation = (between(rng, 1, 3), pick(rng, 1, 2, 3, 4, 6))
        height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
        width, horizontal = _side(rng, kernel[1], stride[1], dilation[1])
        groups = pick(rng, 1, 2, 3, 4)
        depth = pick(rng, 1, 3, 8, 16, between(rng, 1, 100), between(rng, 1, 30))
        image = (pick(rng, 1, 1, 2), height, width + pick(rng, 0, 0, 9), depth * groups)
        pads, channels = Pads(*vertical, *horizontal), groups * pick(rng, *few)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, groups=groups))
    return graphs


@pytest.mark.parametrize(("kernel", "function", "few"), PARTS)
def test_conv_in_parts(kernel: Kernel, function: str, few: Sequence[int]) -> None:
    found = _where_it_applies(_part_layers(np.random.default_rng(24), scaled(40, 600), few), kernel)
    assert len(found) > scaled(15, 200)
    check(found, type(kernel).__name__, function)


def test_transpose_conv() -> None:
    kinds = [found for found in combinations() if found[0] == "TRANSPOSE_CONV" and found[1].x is DType.INT8]
    check(typed_graphs(kinds, seed=6, each=scaled(16, 300)), "TransposeConvS8Mve", "transpose_conv_s8_mve")


def _depthwise_layers(rng: Rng, count: int) -> list[Graph]:
    graphs = []
    for _ in range(count):
        channels = pick(rng, between(rng, 1, 20), 16, 8, between(rng, 17, 50))
        pads = None if chance(rng, 0.4) else Pads(*(between(rng, 0, 2) for _ in range(4)))
        low = 1 if pads is None else 3
        tall = chance(rng, 0.5)
        height, width = between(rng, low, 14 if tall else 5), between(rng, low, 5 if tall else 14)
        image = (pick(rng, 1, 1, 1, 2), height, width, channels)
        graphs.append(conv_layer(rng, image, channels, (3, 3), pads=pads, depthwise=True))
    return graphs


def test_depthwise_3x3() -> None:
    graphs = _depthwise_layers(np.random.default_rng(4), scaled(50, 600))
    check(graphs, "DepthwiseConv3x3S8Mve", "depthwise_conv_3x3_s8_mve")


def test_depthwise_3x3_with_small_strips() -> None:
    graphs = _depthwise_layers(np.random.default_rng(21), scaled(40, 600))
    small = _where_it_applies(graphs, SHORT_STRIPS)
    assert len(small) > len(graphs) / 8
    check(small, "DepthwiseConv3x3SmallStripS8Mve", "depthwise_conv_3x3_s8_mve")


def test_depthwise_4x4() -> None:
    rng = np.random.default_rng(7)
    graphs = []
    for _ in range(scaled(40, 600)):
        kernel = pick(rng, (3, 3), (between(rng, 1, 4), between(rng, 1, 4)))
        stride = pick(rng, (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
        dilation = (between(rng, 1, 3), 1)
        height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
        width, horizontal = _side(rng, kernel[1], stride[1], 1)
        channels = pick(rng, between(rng, 1, 20), 16, 8, between(rng, 17, 50))
        image = (pick(rng, 1, 1, 1, 2), height, width, channels)
        pads = Pads(*vertical, *horizontal)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, depthwise=True))
    check(graphs, "DepthwiseConv4x4S8Mve", "depthwise_conv_4x4_s8_mve")


def test_depthwise_line() -> None:
    rng = np.random.default_rng(8)
    graphs = []
    for _ in range(scaled(30, 500)):
        taps = between(rng, 2, 13)
        size, pads = _side(rng, taps, 1, 1)
        image, kernel = (size + between(rng, 0, 8), between(rng, 1, 3)), (taps, 1)
        sides = Pads(*pads, 0, 0)
        if chance(rng, 0.5):
            image, kernel, sides = image[::-1], kernel[::-1], Pads(0, 0, *pads)
        channels = pick(rng, between(rng, 1, 20), 16, between(rng, 17, 50))
        shape = (pick(rng, 1, 1, 2), *image, channels)
        graphs.append(conv_layer(rng, shape, channels, kernel, pads=sides, depthwise=True))
    check(graphs, "DepthwiseConvLineS8Mve", "depthwise_conv_line_s8_mve")


def test_depthwise_of_any_window() -> None:
    rng = np.random.default_rng(17)
    graphs = []
    for _ in range(scaled(40, 600)):
        kernel = pick(rng, (5, 5), (between(rng, 1, 5), between(rng, 1, 5)))
        stride, dilation = ((between(rng, 1, 3), between(rng, 1, 3)) for _ in range(2))
        height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
        width, horizontal = _side(rng, kernel[1], stride[1], dilation[1])
        depth = pick(rng, between(rng, 1, 20), 8, 16)
        channels = depth * pick(rng, 1, 1, between(rng, 2, 5))
        image, pads = (pick(rng, 1, 1, 2), height, width, depth), Pads(*vertical, *horizontal)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, depthwise=True))
    check(graphs, "DepthwiseConvS8Mve", "depthwise_conv_s8_mve")


def test_depthwise_by_sixteens() -> None:
    rng = np.random.default_rng(31)
    graphs = []
    for _ in range(scaled(20, 400)):
        kernel = pick(rng, (between(rng, 5, 20), 1), (between(rng, 1, 6), between(rng, 1, 6)))
        stride, dilation = ((between(rng, 1, 3), between(rng, 1, 3)) for _ in range(2))
        height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
        width, horizontal = _side(rng, kernel[1], stride[1], dilation[1])
        channels = pick(rng, 16, 32, 48)
        image, pads = (pick(rng, 1, 1, 2), height, width, channels), Pads(*vertical, *horizontal)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, True, chance(rng, 0.5)))
    check(_by_factors(graphs), "DepthwiseConvWovenS8Mve", "depthwise_conv_woven_s8_mve")


def test_fully_connected() -> None:
    rng = np.random.default_rng(5)
    graphs = []
    for _ in range(scaled(40, 600)):
        depth = pick(rng, 8, 16, 64, 80, between(rng, 1, 120))
        graphs.append(fully_connected_layer(rng, pick(rng, 1, 1, 2, 3), depth, between(rng, 1, 21)))
    check(graphs, "FullyConnectedS8Mve", "fully_connected_s8_mve")


def test_fully_connected_of_one_multiplier() -> None:
    rng = np.random.default_rng(34)
    graphs = []
    for _ in range(scaled(130, 1500)):
        depth = pick(rng, between(rng, 1, 140), 16 * between(rng, 1, 9), between(rng, 128, 700))
        rows, relu = pick(rng, 1, 1, 2, 3), chance(rng, 0.5)
        graphs.append(fully_connected_layer(rng, rows, depth, between(rng, 8, 25), relu=relu))
    (kernel,) = (k for k in fully_connected_mve.KERNELS if isinstance(k, FullyConnectedUniformS8Mve))
    found = _where_it_applies(graphs, kernel)
    assert len(found) > scaled(15, 200)
    check(found, "FullyConnectedUniformS8Mve", "fully_connected_uniform_s8_mve")


def test_fully_connected_of_rows() -> None:
    rng = np.random.default_rng(6)
    graphs = [
        fully_connected_layer(rng, between(rng, 2, 5), _depth(rng), between(rng, 4, 21)) for _ in range(scaled(20, 200))
    ]
    check(graphs, "FullyConnectedRowsS8Mve", "conv_1x1_s8_mve")


def _binary_layers(rng: Rng, op: str, count: int) -> list[Graph]:
    graphs = []
    for _ in range(count):
        shape = tuple(between(rng, 1, 9) for _ in range(between(rng, 1, 4)))
        if chance(rng, 0.3):
            shape = (*shape[:2], 8 * between(rng, 1, 4) + between(rng, 0, 7))
        other = tuple(1 if chance(rng, 0.4) else n for n in shape) if chance(rng, 0.5) else shape
        pair = (shape, other) if chance(rng, 0.5) else (other, shape)
        graphs.append(binary_layer(rng, op, pair, equal=chance(rng, 0.2)))
    return graphs


def test_add_linear() -> None:
    graphs = _binary_layers(np.random.default_rng(9), "ADD", scaled(40, 600))
    linear = [graph for graph in graphs if _layers(graph, "AddLinearS8Mve")[0].kernel == "add_linear_s8_mve"]
    assert len(linear) > len(graphs) / 2
    check(linear, "AddLinearS8Mve", "add_linear_s8_mve")


@pytest.mark.parametrize("op", ["ADD", "MUL"])
def test_scaled_binary(op: str) -> None:
    check(_binary_layers(np.random.default_rng(10), op, scaled(30, 500)), "ScaledBinaryMve", "scaled_binary_mve")


def test_scaled_binary_of_every_operator_and_type() -> None:
    kinds = [(op, types) for op, types in combinations() if op in SCALED and types in SCALED_TYPES]
    assert len(kinds) >= 14
    check(typed_graphs(kinds, seed=23, each=scaled(4, 30)), "ScaledBinaryMve", "scaled_binary_mve")


def _pool_layers(op: str, seed: int) -> list[Graph]:
    rng = np.random.default_rng(seed)
    graphs = []
    for _ in range(scaled(30, 400)):
        image = (pick(rng, 1, 2), between(rng, 1, 9), between(rng, 1, 9), pick(rng, 16, between(rng, 1, 50)))
        kernel = pick(rng, (2, 2), image[1:3], (between(rng, 1, 5), between(rng, 1, 5)))
        graphs.append(pool_layer(rng, op, image, kernel, (between(rng, 1, 3), between(rng, 1, 3))))
    return graphs


def test_average_pool() -> None:
    large = [pool_layer(np.random.default_rng(1), "AVERAGE_POOL_2D", (1, 20, 256, 3), (20, 256), (1, 1))]
    check(_pool_layers("AVERAGE_POOL_2D", 13) + large, "AveragePoolS8Mve", "average_pool_s8_mve")


def test_max_pool() -> None:
    check(_pool_layers("MAX_POOL_2D", 14), "MaxPoolS8Mve", "max_pool_s8_mve")


def test_mean() -> None:
    rng = np.random.default_rng(15)
    graphs = []
    for _ in range(scaled(30, 500)):
        shape = tuple(between(rng, 1, 6) for _ in range(between(rng, 1, 3))) + (pick(rng, 16, between(rng, 2, 50)),)
        axes = tuple(a for a in range(len(shape) - 1) if chance(rng, 0.5)) or (between(rng, 0, len(shape) - 2),)
        graphs.append(mean_layer(rng, shape, axes))
    check(graphs, "MeanS8Mve", "mean_s8_mve")


def _of_bytes(rng: Rng, op: str) -> Graph:
    """A graph of the operator, from int8 to int8."""
    while True:
        graph = random_graph(rng, op)
        if all(graph.tensors[i].dtype is DType.INT8 for i in (*graph.inputs, *graph.outputs)):
            return graph


@pytest.mark.parametrize("op", ["LOGISTIC", "RELU", "RELU6"])
def test_tables(op: str) -> None:
    rng = np.random.default_rng(16)
    check([_of_bytes(rng, op) for _ in range(scaled(10, 100))], "Lut8Mve", "lut_8_mve")


def test_softmax() -> None:
    rng = np.random.default_rng(19)
    check([_of_bytes(rng, "SOFTMAX") for _ in range(scaled(30, 300))], "SoftmaxS8Mve", "softmax_s8_mve")


def test_copies() -> None:
    """Of every kind, with runs of all lengths; variables are read and written by graphs of kind STATE."""
    rng = np.random.default_rng(18)
    graphs = [copy_layer(rng, op) for op in _COPIED for _ in range(scaled(8, 80))]
    graphs += [random_graph(rng, "STATE") for _ in range(scaled(8, 80))]
    prefer = {type(kernel).__name__ for kernel in movement_mve.KERNELS}
    plans = [compile_graph(graph, core="cortex-m55", prefer=prefer) for graph in graphs]
    found = {layer.kernel for plan in plans for layer in plan.layers}
    assert {"move_mve", "copy_rows_mve", "strided_copy_mve"} <= found
    assert check_on_board(graphs, BOARD, prefer=prefer) == len(graphs) * VECTORS


def test_conv_1x1_keeps_to_its_order_of_accesses() -> None:
    rng = np.random.default_rng(12)
    cases = []
    for _ in range(scaled(10, 100)):
        image = (pick(rng, 1, 2), between(rng, 1, 5), between(rng, 1, 5), _depth(rng))
        layer = layer_of(Target("cortex-m55"), ONE_BY_ONE, conv_layer(rng, image, between(rng, 4, 40)))
        if layer is not None:
            cases += [(layer, distance // 4 * 4) for distance in layer.nearest]
    assert len(cases) > scaled(10, 100)
    assert all(check_distances(BOARD, cases))


def test_ties_of_requantization() -> None:
    rng = np.random.default_rng(2)
    zeros = (-128, -7, 0, 127) * scaled(1, 8)
    graphs = [tie_layer(rng, 120, zero_point, wild) for zero_point in zeros for wild in (False, True)]
    check(graphs, "Conv1x1S8Mve", "conv_1x1_s8_mve")


def test_depthwise_of_large_windows() -> None:
    rng = np.random.default_rng(35)
    graphs = []
    for _ in range(scaled(30, 500)):
        kernel = pick(rng, (5, 5), (7, 7), (between(rng, 2, 13), between(rng, 2, 13)), (3, 9))
        dilation, stride = (pick(rng, 1, 1, 2), 1), (pick(rng, 1, 1, 2), 1)
        height, vertical = _side(rng, kernel[0], stride[0], dilation[0])
        width, horizontal = _side(rng, kernel[1], 1, 1)
        image = (pick(rng, 1, 1, 2), height, width + pick(rng, 0, 9), pick(rng, between(rng, 1, 20), 16, 37))
        pads, relu = Pads(*vertical, *horizontal), chance(rng, 0.4)
        turned = conv_layer(rng, image, image[3], kernel, stride, dilation, pads, depthwise=True, relu=relu)
        graphs.append(turned)
    (kernel_,) = (k for k in depthwise_mve.KERNELS if isinstance(k, DepthwiseConvTilesS8Mve))
    found = _where_it_applies(graphs, kernel_)
    assert len(found) > len(graphs) / 2
    check(found, "DepthwiseConvTilesS8Mve", "depthwise_conv_tiles_s8_mve")
    assert all(check_distances(BOARD, _nearest(kernel_, found[: scaled(5, 80)])))


def test_conv_by_columns() -> None:
    graphs = _conv_layers(np.random.default_rng(33), scaled(60, 600))
    (kernel,) = convolution_columns_mve.KERNELS
    found = _where_it_applies(graphs, kernel)
    assert len(found) > len(graphs) / 4
    check(found, "ConvColumnsS8Mve", "conv_columns_s8_mve")
    cases = _nearest(kernel, found[: scaled(6, 100)])
    assert len(cases) > 2
    assert all(check_distances(BOARD, cases))


def _layers_3x3(rng: Rng, count: int) -> list[Graph]:
    graphs = []
    for _ in range(count):
        pads = Pads(*(between(rng, 0, 2) for _ in range(4))) if chance(rng, 0.5) else None
        less = 0 if pads is None else 2
        depth = pick(rng, 16, 32, between(rng, 1, 20), between(rng, 1, 70), 256)
        image = (pick(rng, 1, 1, 2), between(rng, 2 + less, 8), between(rng, 4 + less, 14), depth)
        graphs.append(conv_layer(rng, image, between(rng, 1, 9), (3, 3), pads=pads, relu=chance(rng, 0.4)))
    return graphs


def test_conv_3x3() -> None:
    check(_layers_3x3(np.random.default_rng(31), scaled(40, 600)), "Conv3x3S8Mve", "conv_3x3_s8_mve")


def _nearest(kernel: Kernel, graphs: Sequence[Graph]) -> list[tuple[Overlapped, int]]:
    """Layers of it whose output lies over the input, as near as is safe."""
    layers = [layer for graph in graphs if (layer := layer_of(Target("cortex-m55"), kernel, graph)) is not None]
    cases = [(layer, distance // 4 * 4) for layer in layers for distance in layer.nearest]
    return [(layer, distance) for layer, distance in cases if layer.overlap.allows(distance)]


def test_conv_3x3_keeps_to_its_order_of_accesses() -> None:
    (kernel,) = convolution_3x3_mve.KERNELS
    cases = _nearest(kernel, _layers_3x3(np.random.default_rng(32), scaled(6, 100)))
    assert len(cases) >= scaled(3, 50)
    assert all(check_distances(BOARD, cases))
