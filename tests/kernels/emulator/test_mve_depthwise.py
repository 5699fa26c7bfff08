"""Every MVE kernel of depthwise convolutions over its whole domain equals the specification, on QEMU."""

from __future__ import annotations

import numpy as np

from harness.ir.graph import Graph
from harness.ir.window import Pads
from harness.kernels import (
    depthwise_mve,
)
from harness.kernels.depthwise_mve import DepthwiseConv3x3SmallStripS8Mve, DepthwiseConvTilesS8Mve
from tests.support.draft import Rng, between, chance, pick
from tests.support.layers import (
    conv_layer,
)
from tests.support.mve import BOARD, by_factors, check, drawn_image, nearest, side, where_it_applies
from tests.support.overlapped import check as check_distances
from tests.support.scale import scaled

SHORT_STRIPS = next(k for k in depthwise_mve.KERNELS if isinstance(k, DepthwiseConv3x3SmallStripS8Mve))


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
    small = where_it_applies(graphs, SHORT_STRIPS)
    assert len(small) > len(graphs) / 8
    check(small, "DepthwiseConv3x3SmallStripS8Mve", "depthwise_conv_3x3_s8_mve")


def test_depthwise_4x4() -> None:
    rng = np.random.default_rng(7)
    graphs = []
    for _ in range(scaled(40, 600)):
        kernel = pick(rng, (3, 3), (between(rng, 1, 4), between(rng, 1, 4)))
        stride = pick(rng, (2, 2), (between(rng, 1, 3), between(rng, 1, 3)))
        dilation = (between(rng, 1, 3), 1)
        height, width, pads = drawn_image(rng, kernel, stride, dilation)
        channels = pick(rng, between(rng, 1, 20), 16, 8, between(rng, 17, 50))
        image = (pick(rng, 1, 1, 1, 2), height, width, channels)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, depthwise=True))
    check(graphs, "DepthwiseConv4x4S8Mve", "depthwise_conv_4x4_s8_mve")


def test_depthwise_line() -> None:
    rng = np.random.default_rng(8)
    graphs = []
    for _ in range(scaled(30, 500)):
        taps = between(rng, 2, 13)
        size, pads = side(rng, taps, 1, 1)
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
        height, width, pads = drawn_image(rng, kernel, stride, dilation)
        depth = pick(rng, between(rng, 1, 20), 8, 16)
        channels = depth * pick(rng, 1, 1, between(rng, 2, 5))
        image = (pick(rng, 1, 1, 2), height, width, depth)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, depthwise=True))
    check(graphs, "DepthwiseConvS8Mve", "depthwise_conv_s8_mve")


def test_depthwise_by_sixteens() -> None:
    rng = np.random.default_rng(31)
    graphs = []
    for _ in range(scaled(20, 400)):
        kernel = pick(rng, (between(rng, 5, 20), 1), (between(rng, 1, 6), between(rng, 1, 6)))
        stride, dilation = ((between(rng, 1, 3), between(rng, 1, 3)) for _ in range(2))
        height, width, pads = drawn_image(rng, kernel, stride, dilation)
        channels = pick(rng, 16, 32, 48)
        image = (pick(rng, 1, 1, 2), height, width, channels)
        graphs.append(conv_layer(rng, image, channels, kernel, stride, dilation, pads, True, chance(rng, 0.5)))
    check(by_factors(graphs), "DepthwiseConvWovenS8Mve", "depthwise_conv_woven_s8_mve")


def test_depthwise_of_large_windows() -> None:
    rng = np.random.default_rng(35)
    graphs = []
    for _ in range(scaled(30, 500)):
        kernel = pick(rng, (5, 5), (7, 7), (between(rng, 2, 13), between(rng, 2, 13)), (3, 9))
        dilation, stride = (pick(rng, 1, 1, 2), 1), (pick(rng, 1, 1, 2), 1)
        height, width, pads = drawn_image(rng, kernel, stride, dilation)
        image = (pick(rng, 1, 1, 2), height, width + pick(rng, 0, 9), pick(rng, between(rng, 1, 20), 16, 37))
        relu = chance(rng, 0.4)
        turned = conv_layer(rng, image, image[3], kernel, stride, dilation, pads, depthwise=True, relu=relu)
        graphs.append(turned)
    (kernel_,) = (k for k in depthwise_mve.KERNELS if isinstance(k, DepthwiseConvTilesS8Mve))
    found = where_it_applies(graphs, kernel_)
    assert len(found) > len(graphs) / 2
    check(found, "DepthwiseConvTilesS8Mve", "depthwise_conv_tiles_s8_mve")
    assert all(check_distances(BOARD, nearest(kernel_, found[: scaled(5, 80)])))
