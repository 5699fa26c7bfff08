"""Every MVE kernel of convolutions over its whole domain equals the specification, on QEMU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from harness.hardware.target import Target
from harness.ir.graph import Graph
from harness.ir.window import Pads
from harness.kernels import (
    convolution_3x3_mve,
    convolution_columns_mve,
    convolution_mve,
    convolution_parts_mve,
)
from harness.kernels.base import Kernel
from harness.kernels.convolution_mve import Conv1x1S8Mve, ConvS8Mve, ConvSmallStripS8Mve
from harness.quantization.types import DType
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import (
    conv_layer,
    tie_layer,
)
from tests.support.mve import BOARD, by_factors, check, drawn_depth, drawn_image, nearest, where_it_applies
from tests.support.overlapped import check as check_distances
from tests.support.overlapped import layer_of
from tests.support.scale import scaled
from tests.support.typed import combinations, typed_graphs

ONE_BY_ONE = next(k for k in convolution_mve.KERNELS if type(k) is Conv1x1S8Mve)
ANY_WINDOW = next(k for k in convolution_mve.KERNELS if type(k) is ConvS8Mve)
SMALL_STRIPS = next(k for k in convolution_mve.KERNELS if isinstance(k, ConvSmallStripS8Mve))
PARTS = [
    (kernel, kernel.function, few)
    for kernel, few in zip(convolution_parts_mve.KERNELS, (range(1, 14), range(1, 8), (2, 2, 6)), strict=True)
]
"""With numbers of output channels a group."""


def test_conv_1x1() -> None:
    rng = np.random.default_rng(1)
    graphs = []
    for _ in range(scaled(30, 400)):
        image = (pick(rng, 1, 1, 2), between(rng, 1, 5), between(rng, 1, 5), drawn_depth(rng))
        graphs.append(conv_layer(rng, image, between(rng, 4, 19)))
    check(graphs, "Conv1x1S8Mve", "conv_1x1_s8_mve")


def test_conv_1x1_of_eights() -> None:
    rng = np.random.default_rng(32)
    graphs = []
    for size in range(scaled(38, 380)):
        depth = max(16 * (size // 2 % 19) + size % 2 * between(rng, 1, 8), 1)
        image = (pick(rng, 1, 1, 2), between(rng, 1, 3), between(rng, 1, 3), depth)
        graphs.append(conv_layer(rng, image, 8 * between(rng, 1, 4), relu=chance(rng, 0.5)))
    check(by_factors(graphs), "Conv1x1S8Mve", "conv_1x1_s8_mve")


def test_conv_1x1_of_few_channels() -> None:
    rng = np.random.default_rng(1)
    graphs = []
    for _ in range(scaled(20, 200)):
        image = (pick(rng, 1, 1, 2), between(rng, 1, 5), between(rng, 1, 5), between(rng, 1, 100))
        graphs.append(conv_layer(rng, image, between(rng, 1, 3)))
    check(graphs, "Conv1x1FewS8Mve", "fully_connected_s8_mve")


def _conv_layers(rng: Rng, count: int) -> list[Graph]:
    graphs = []
    for _ in range(count):
        kernel = pick(rng, (3, 3), (1, 1), (between(rng, 1, 5), between(rng, 1, 5)), (1, 3), (4, 1))
        stride = (between(rng, 1, 3), between(rng, 1, 3))
        dilation = (between(rng, 1, 3), 1)
        height, width, pads = drawn_image(rng, kernel, stride, dilation)
        depth = pick(rng, 1, 2, 3, 4, 8, 16, 32, between(rng, 1, 100), between(rng, 1, 30))
        image = (pick(rng, 1, 1, 2), height, width, depth)
        graphs.append(conv_layer(rng, image, between(rng, 4, 13), kernel, stride, dilation, pads))
    return graphs


def test_conv() -> None:
    graphs = _conv_layers(np.random.default_rng(3), scaled(60, 700))
    found = where_it_applies(graphs, ANY_WINDOW)
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
    small = where_it_applies(graphs, SMALL_STRIPS)
    assert len(small) > len(graphs) / 4
    check(small, "ConvSmallStripS8Mve", "conv_s8_mve")


def _part_layers(rng: Rng, count: int, few: Sequence[int]) -> list[Graph]:
    """In groups, dilated along a row, of `few` output channels a group."""
    graphs = []
    for _ in range(count):
        kernel = pick(rng, (3, 3), (1, 1), (between(rng, 1, 5), between(rng, 1, 5)), (1, 3), (4, 1), (1, 7))
        stride = (between(rng, 1, 3), between(rng, 1, 3))
        dilation = (between(rng, 1, 3), pick(rng, 1, 2, 3, 4, 6))
        height, width, pads = drawn_image(rng, kernel, stride, dilation)
        groups = pick(rng, 1, 2, 3, 4)
        depth = pick(rng, 1, 3, 8, 16, between(rng, 1, 100), between(rng, 1, 30))
        image = (pick(rng, 1, 1, 2), height, width + pick(rng, 0, 0, 9), depth * groups)
        channels = groups * pick(rng, *few)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, groups=groups))
    return graphs


@pytest.mark.parametrize(("kernel", "function", "few"), PARTS)
def test_conv_in_parts(kernel: Kernel, function: str, few: Sequence[int]) -> None:
    found = where_it_applies(_part_layers(np.random.default_rng(24), scaled(40, 600), few), kernel)
    assert len(found) > scaled(15, 200)
    check(found, type(kernel).__name__, function)


def test_transpose_conv() -> None:
    kinds = [found for found in combinations() if found[0] == "TRANSPOSE_CONV" and found[1].x is DType.INT8]
    check(typed_graphs(kinds, seed=6, each=scaled(16, 300)), "TransposeConvS8Mve", "transpose_conv_s8_mve")


def test_conv_1x1_keeps_to_its_order_of_accesses() -> None:
    rng = np.random.default_rng(12)
    cases = []
    for _ in range(scaled(10, 100)):
        image = (pick(rng, 1, 2), between(rng, 1, 5), between(rng, 1, 5), drawn_depth(rng))
        layer = layer_of(Target("cortex-m55"), ONE_BY_ONE, conv_layer(rng, image, between(rng, 4, 40)))
        if layer is not None:
            cases += [(layer, distance // 4 * 4) for distance in layer.nearest]
    assert len(cases) > scaled(10, 100)
    assert all(check_distances(BOARD, cases))


def test_conv_by_columns() -> None:
    graphs = _conv_layers(np.random.default_rng(33), scaled(60, 600))
    (kernel,) = convolution_columns_mve.KERNELS
    found = where_it_applies(graphs, kernel)
    assert len(found) > len(graphs) / 4
    check(found, "ConvColumnsS8Mve", "conv_columns_s8_mve")
    cases = nearest(kernel, found[: scaled(6, 100)])
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


def test_conv_3x3_keeps_to_its_order_of_accesses() -> None:
    (kernel,) = convolution_3x3_mve.KERNELS
    cases = nearest(kernel, _layers_3x3(np.random.default_rng(32), scaled(6, 100)))
    assert len(cases) >= scaled(3, 50)
    assert all(check_distances(BOARD, cases))


def test_ties_of_requantization() -> None:
    rng = np.random.default_rng(2)
    zeros = (-128, -7, 0, 127) * scaled(1, 8)
    graphs = [tie_layer(rng, 120, zero_point, wild) for zero_point in zeros for wild in (False, True)]
    check(graphs, "Conv1x1S8Mve", "conv_1x1_s8_mve")
