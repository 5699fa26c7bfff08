"""ADD as a line through both operands: found for what networks have, and equal to the specification for every pair."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from harness.ir.graph import Tensor
from harness.ir.operators.binary import BinaryAttrs, add
from harness.ir.operators.operands import Operands
from harness.kernels import add_linear, elementwise_mve
from harness.kernels.add_line import AddLine, LineForm
from harness.quantization.types import DType, Quantization
from tests.support.scale import scaled

EVERY = np.arange(-128, 128).astype(np.int8)
FULL = (-128, 127)


def tensor(scale: float, zero: int, shape: tuple[int, ...] = (256, 256)) -> Tensor:
    return Tensor("t", shape, DType.INT8, Quantization((float(np.float32(scale)),), (zero,)))


def computed(line: AddLine, clamp: tuple[int, int], form: LineForm) -> np.ndarray:
    """What the kernels do, in int32; the shift of those that round adds its half to more bits than that."""
    with np.errstate(over="raise"):
        a, b = EVERY.astype(np.int32)[:, None], EVERY.astype(np.int32)[None, :]
        total = a * np.int32(line.a_multiplier) + (b * np.int32(line.b_multiplier) + np.int32(line.offset))
        if line.away:
            total = total + (total >> 31) + np.int32(line.rounding)
    return np.clip((total.astype(np.int64) + form.half) >> form.fraction_bits, *clamp)


def check(a: Tensor, b: Tensor, y: Tensor, clamp: tuple[int, int], kernels: ModuleType = add_linear) -> bool:
    """Whether there is a line; it is compared with the specification for all 65536 pairs."""
    line = kernels.line_of(a, b, y, clamp)
    if line is None:
        return False
    wanted = add((EVERY[:, None], EVERY[None, :]), Operands((a, b), (y,), BinaryAttrs(clamp)))[0]
    np.testing.assert_array_equal(computed(line, clamp, kernels.FORM), wanted)
    return True


@pytest.mark.parametrize("kernels", [add_linear, elementwise_mve])
@pytest.mark.parametrize("seed", [3, 4])
def test_random_quantizations(kernels: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = 0
    for number in range(scaled(40, 2000)):
        scales = np.exp(rng.uniform(-4, 0, 2))
        a, b = (
            tensor(s, int(rng.integers(-128, 128)), shape)
            for s, shape in zip(scales, ((256, 1), (1, 256)), strict=True)
        )
        y = tensor(scales.sum() * np.exp(rng.uniform(-1, 0.7)), int(rng.integers(-128, 128)))
        clamp = (FULL, (y.q.zero_point, 127), (-20, 33))[number % 3]
        found += check(a, b, y, clamp, kernels)
    assert found > scaled(25, 1250)


@pytest.mark.parametrize("zero", [-128, 127])
@pytest.mark.parametrize("kernels", [add_linear, elementwise_mve])
def test_outputs_that_are_all_the_clamps_end(kernels: ModuleType, zero: int) -> None:
    """No output bounds the constant on one side."""
    a, b, y = tensor(0.01, 0, (256, 1)), tensor(0.01, 0, (1, 256)), tensor(90.0, zero)
    assert check(a, b, y, (-128, 127), kernels)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0, 0.25])
@pytest.mark.parametrize("zero", [-128, 0, 5])
def test_ties_go_away_from_zero(ratio: float, zero: int) -> None:
    a, b, y = tensor(0.5, -3, (256, 1)), tensor(0.5, 7, (1, 256)), tensor(0.5 / ratio, zero)
    assert check(a, b, y, FULL)
    line = add_linear.line_of(a, b, y, FULL)
    assert line is not None and line.away == (ratio < 1 and zero > -128)


@pytest.mark.parametrize("kernels", [add_linear, elementwise_mve])
def test_too_wide_a_sum_is_declined(kernels: ModuleType) -> None:
    assert kernels.line_of(tensor(1.0, 0), tensor(1.0, 0), tensor(0.1, 0), FULL) is None
