"""Kernels keep to the order of accesses that they declare: right at the nearest safe distance, on emulated cores."""

from __future__ import annotations

import pytest

from harness.boards import load_boards
from harness.hardware.target import Target
from tests.support.overlapped import check, layers
from tests.support.scale import scaled


@pytest.mark.parametrize("board", ["mps2-an386", "mps2-an500", "mps3-an547"])
def test_kernels_keep_to_the_order_they_declare(board: str) -> None:
    found = list(layers(Target(load_boards()[board].core), 8, scaled(1, 12)))
    # pointers of a core's own kernels are aligned to words
    cases = [
        (layer, distance // 4 * 4)
        for layer in found
        for distance in layer.nearest
        if layer.overlap.allows(distance // 4 * 4)
    ]
    assert len({layer.kernel for layer, _ in cases}) >= 10
    right = check(board, cases)
    assert not [(layer.kernel, layer.overlap, d) for (layer, d), ok in zip(cases, right, strict=True) if not ok]
