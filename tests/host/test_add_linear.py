"""ADD as a line through both operands: found for what networks have, and equal to the specification for every pair."""

from __future__ import annotations

import numpy as np
import pytest

from harness.ir.graph import BinaryAttrs, Tensor
from harness.ir.operators.binary import add
from harness.ir.operators.operands import Operands
from harness.kernels.add_linear import FRACTION_BITS, AddLine, line_of
from harness.quantization.types import DType, Quantization

EVERY = np.arange(-128, 128).astype(np.int8)
FULL = (-128, 127)


def tensor(scale: float, zero: int, shape: tuple[int, ...] = (256, 256)) -> Tensor:
    return Tensor("t", shape, DType.INT8, Quantization((float(np.float32(scale)),), (zero,)))


def computed(line: AddLine, clamp: tuple[int, int]) -> np.ndarray:
    """What the kernels do, in int32."""
    with np.errstate(over="raise"):
        a, b = EVERY.astype(np.int32)[:, None], EVERY.astype(np.int32)[None, :]
        total = a * np.int32(line.a_multiplier) + (b * np.int32(line.b_multiplier) + np.int32(line.offset))
        if line.away:
            total = total + (total >> 31) + np.int32(line.rounding)
    return np.clip(total >> FRACTION_BITS, *clamp)


def check(a: Tensor, b: Tensor, y: Tensor, clamp: tuple[int, int]) -> bool:
    line = line_of(a, b, y, clamp)
    if line is None:
        return False
    wanted = add((EVERY[:, None], EVERY[None, :]), Operands((a, b), (y,), BinaryAttrs(clamp)))[0]
    np.testing.assert_array_equal(computed(line, clamp), wanted)
    return True


def test_random_quantizations() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for number in range(40):
        scales = np.exp(rng.uniform(-4, 0, 2))
        a, b = (
            tensor(s, int(rng.integers(-128, 128)), shape)
            for s, shape in zip(scales, ((256, 1), (1, 256)), strict=True)
        )
        y = tensor(scales.sum() * np.exp(rng.uniform(-1, 0.7)), int(rng.integers(-128, 128)))
        clamp = (FULL, (y.q.zero_point, 127), (-20, 33))[number % 3]
        found += check(a, b, y, clamp)
    assert found > 25


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 0.25])
@pytest.mark.parametrize("zero", [-128, 0, 5])
def test_ties_go_away_from_zero(ratio: float, zero: int) -> None:
    a, b, y = tensor(0.5, -3, (256, 1)), tensor(0.5, 7, (1, 256)), tensor(0.5 / ratio, zero)
    assert check(a, b, y, FULL)
    line = line_of(a, b, y, FULL)
    assert line is not None and line.away == (ratio < 1 and zero > -128)


def test_too_wide_a_sum_is_declined() -> None:
    assert line_of(tensor(1.0, 0), tensor(1.0, 0), tensor(0.1, 0), FULL) is None
