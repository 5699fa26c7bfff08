"""Multipliers, shifts and tables of the quantized operators, from the scales and zero points of their tensors.

The specifications (harness/ir/operators), the kernels and the tests all take them from here.
Scales are float32 in a model file; TFLM widens them to double before it divides, except where a docstring says so.
Source of the formulas: TensorFlow Lite Micro's Prepare functions, checked against package tflite-micro.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from harness.errors import GraphError
from harness.quantization.fixedpoint import (
    Ints,
    exp_on_negative_values,
    logistic,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_shift_right,
    wrap32,
)
from harness.quantization.types import Array, Clamp, DType, Quantization, Quantized

Int32s: TypeAlias = npt.NDArray[np.int32]

SOFTMAX_INTEGER_BITS = 5
SOFTMAX_SUM_INTEGER_BITS = 12
LOGISTIC_INTEGER_BITS = 4


@dataclass(frozen=True)
class Multiplier:
    """A real factor as m * 2**(shift - 31); see fixedpoint.multiply_by_quantized_multiplier."""

    m: int
    shift: int


@dataclass(frozen=True)
class AddParams:
    """ADD: y = zy + mult(mult((a - za) << left_shift, a) + mult((b - zb) << left_shift, b), y).

    No multiplier's shift is positive.
    """

    left_shift: int
    a: Multiplier
    b: Multiplier
    y: Multiplier


@dataclass(frozen=True)
class SoftmaxParams:
    """SOFTMAX: differences to the row's maximum are multiplied to Q5.26; those under diff_min give probability 0."""

    input: Multiplier
    diff_min: int


def _scale(tensor: Quantized) -> float:
    return float(np.float32(tensor.q.scale))


def _multiplier(real: float, tensor: Quantized) -> Multiplier:
    if not 0.0 <= real < float(1 << 30):
        raise GraphError(
            f"the scales around tensor '{tensor.name}' give a multiplier of {real:g}, which no int32 can carry",
            hint="quantize the model again with representative data",
        )
    return Multiplier(*quantize_multiplier(real))


def conv_params(x: Quantized, w: Quantized, y: Quantized) -> tuple[Int32s, Int32s]:
    """(multipliers, shifts), int32[channels of y], of CONV_2D and DEPTHWISE_CONV_2D: scale_x * scale_w[c] / scale_y."""
    return channel_params(x, w, y, y.shape[-1])


def fully_connected_params(x: Quantized, w: Quantized, y: Quantized) -> tuple[Int32s, Int32s]:
    """(multipliers, shifts), int32[outputs], of FULLY_CONNECTED: scale_x * scale_w[c] / scale_y, in double as above.

    TFLite's other interpreters round scale_x * scale_w to float32 first; package tflite-micro does not.
    """
    return channel_params(x, w, y, w.shape[0])


def channel_factors(x: Quantized, w: Quantized, y: Quantized, channels: int) -> list[float]:
    """scale_x * scale_w[c] / scale_y of each channel, in double."""
    scales = w.q.scales if w.q.per_channel else w.q.scales * channels
    return [_scale(x) * float(np.float32(s)) / _scale(y) for s in scales]


def channel_params(x: Quantized, w: Quantized, y: Quantized, channels: int) -> tuple[Int32s, Int32s]:
    """(multipliers, shifts), int32[channels], of any layer with weights."""
    pairs = [_multiplier(real, y) for real in channel_factors(x, w, y, channels)]
    return np.array([p.m for p in pairs], np.int32), np.array([p.shift for p in pairs], np.int32)


def add_left_shift(y: Quantized) -> int:
    """Bits by which ADD and SUB scale their operands up before they are rounded."""
    return 15 if y.dtype is DType.INT16 else 20


def add_params(a: Quantized, b: Quantized, y: Quantized) -> AddParams:
    """Constants of ADD.

    Raises:
        GraphError: the output scale is so small against the inputs' that TFLM refuses it (a factor of 2**19).
    """
    twice_max = 2 * max(_scale(a), _scale(b))
    left_shift = add_left_shift(y)
    real = twice_max / ((1 << left_shift) * _scale(y))
    if not 0.0 < real < 1.0:
        raise GraphError(
            f"ADD into '{y.name}': output scale {_scale(y):g} is too small for input scales up to {twice_max / 2:g}",
            hint="quantize the model again with representative data",
        )
    return AddParams(
        left_shift,
        _multiplier(_scale(a) / twice_max, a),
        _multiplier(_scale(b) / twice_max, b),
        _multiplier(real, y),
    )


def sum_params(x: Quantized, y: Quantized) -> AddParams:
    """Constants of CUMSUM and ADD_N, int8: those of the sum of two of x."""
    return add_params(x, x, y)


def compare_params(x: Quantized) -> Multiplier:
    """Comparisons of int8: values with eight more bits times their own scale, which TFLM takes for less than 1."""
    return _multiplier(_scale(x), x)


def squared_difference_params(a: Quantized, b: Quantized, y: Quantized) -> AddParams:
    """Constants of SQUARED_DIFFERENCE: y = zy + mult((mult((a - za) << n, a) - mult((b - zb) << n, b))**2, y).

    n is 7 bits, and none of int16.
    """
    left_shift = 0 if y.dtype is DType.INT16 else 7
    twice_max = 2 * max(_scale(a), _scale(b))
    return AddParams(
        left_shift,
        _multiplier(_scale(a) / twice_max, a),
        _multiplier(_scale(b) / twice_max, b),
        _multiplier(twice_max * twice_max / ((1 << (2 * left_shift)) * _scale(y)), y),
    )


def abs_params(x: Quantized, y: Quantized) -> Multiplier | None:
    """ABS of integers: y = zy + mult(|x - zx|); None where both have one scale, and nothing is multiplied."""
    return None if _scale(x) == _scale(y) else requantize_params(x, y)


def rsqrt_params(x: Quantized, y: Quantized) -> Multiplier:
    """RSQRT of integers: 1 / (sqrt(scale_x) * scale_y), the product in float32 (TFLM, SetRsqrtOutputMultiplier)."""
    return _multiplier(1.0 / float(np.sqrt(np.float32(x.q.scale)) * np.float32(y.q.scale)), y)


def leaky_params(x: Quantized, y: Quantized, alpha: float) -> tuple[Multiplier, Multiplier]:
    """LEAKY_RELU: (multiplier of values from the zero point up, and of those below)."""
    over, below = _scale(x) / _scale(y), _scale(x) * float(np.float32(alpha)) / _scale(y)
    m, shift = quantize_multiplier(abs(below))
    return _multiplier(over, y), Multiplier(-m if below < 0 else m, shift)


def mul_params(a: Quantized, b: Quantized, y: Quantized) -> Multiplier:
    """MUL: y = zy + mult((a - za) * (b - zb))."""
    return _multiplier(_scale(a) * _scale(b) / _scale(y), y)


def requantize_params(x: Quantized, y: Quantized) -> Multiplier:
    """QUANTIZE from integer to integer, and RELU: y = zy + mult(x - zx)."""
    return _multiplier(_scale(x) / _scale(y), y)


def svdf_params(
    x: Quantized, weights: Quantized, time: Quantized, y: Quantized, state: Quantization
) -> tuple[Multiplier, Multiplier]:
    """SVDF: sums over inputs to the state's scale, and sums over time to the output's; factors in float, as in TFLM."""
    held = np.float32(state.scale)
    features = np.float32(x.q.scale) * np.float32(weights.q.scale) / held
    output = held * np.float32(time.q.scale) / np.float32(y.q.scale)
    return _multiplier(float(features), weights), _multiplier(float(output), y)


def mean_params(x: Quantized, y: Quantized, count: int) -> Multiplier:
    """MEAN over `count` elements: y = zy + mult(sum(x) - count * zx), with 1 / count folded into the multiplier.

    The quotient is truncated, so that mean_params(x, y, 1) is requantize_params(x, y).
    """
    base = requantize_params(x, y)
    bits = min(count.bit_length() - 1, 32, 31 + base.shift)
    return Multiplier((base.m << bits) // count, base.shift - bits)


def softmax_params(x: Quantized, beta: float) -> SoftmaxParams:
    """Constants of SOFTMAX, int8 to int8 (whose output scale is 1/256 and zero point -128).

    Raises:
        GraphError: scale_x * beta is 2**-26 or less, which TFLM refuses.
    """
    real = min(float(np.float32(beta)) * _scale(x) * (1 << (31 - SOFTMAX_INTEGER_BITS)), float((1 << 31) - 1))
    if real <= 1.0:
        raise GraphError(
            f"SOFTMAX of '{x.name}': input scale {_scale(x):g} times beta {beta:g} is too small",
            hint="quantize the model again with representative data",
        )
    multiplier = Multiplier(*quantize_multiplier(real))
    radius = ((1 << SOFTMAX_INTEGER_BITS) - 1) * (1 << (31 - SOFTMAX_INTEGER_BITS)) / (1 << multiplier.shift)
    return SoftmaxParams(multiplier, -floor(radius))


@dataclass(frozen=True)
class LogSoftmaxParams:
    """LOG_SOFTMAX: as SOFTMAX with beta 1, and the way back from Q5.26 to the input's steps."""

    input: Multiplier
    diff_min: int
    reverse: Multiplier


def log_softmax_params(x: Quantized) -> LogSoftmaxParams:
    """Constants of LOG_SOFTMAX, int8 (TFLM, PreprocessLogSoftmaxScalingExp)."""
    forward = softmax_params(x, 1.0)
    reverse = float(1 << (31 - forward.input.shift)) / forward.input.m
    return LogSoftmaxParams(forward.input, forward.diff_min, _multiplier(reverse, x))


def softmax_exp_table(x: Quantized, beta: float) -> Int32s:
    """int32[256]: exp of minus d steps of x, in Q0.31, for d = 0 .. 255; 0 where TFLM leaves the element out."""
    params = softmax_params(x, beta)
    diff = -np.arange(256, dtype=np.int64)
    kept = diff >= params.diff_min
    scaled = multiply_by_quantized_multiplier(np.where(kept, diff, 0), params.input.m, params.input.shift)
    return np.where(kept, exp_on_negative_values(scaled, SOFTMAX_INTEGER_BITS), 0).astype(np.int32)


def relu_clamp(y: Quantized) -> Clamp:
    """Range of RELU's output."""
    return max(y.dtype.range[0], y.q.zero_point), y.dtype.range[1]


def relu6_clamp(x: Quantized) -> Clamp:
    """Range of RELU6, in the units of its INPUT: TFLM clamps and copies, whatever the output's quantization says."""
    low, high = x.dtype.range
    ratio = float(np.float32(6.0) / np.float32(x.q.scale))
    return x.q.zero_point, int(min(max(floor(ratio + 0.5) + x.q.zero_point, low), high))


def requantize_values(q: Array, x: Quantized, y: Quantized, clamp: Clamp | None = None) -> Array:
    """Integers of x's quantization in y's, clamped to y's type or to `clamp`."""
    factor = requantize_params(x, y)
    scaled = multiply_by_quantized_multiplier(wrap32(q.astype(np.int64) - x.q.zero_point), factor.m, factor.shift)
    low, high = clamp or y.dtype.range
    return np.clip(wrap32(scaled + y.q.zero_point), low, high).astype(y.dtype.numpy)


def _logistic_radius(shift: int) -> int:
    """Distance from the zero point at which LOGISTIC is saturated (TFLM, CalculateInputRadius).

    TFLM divides by `1ll << shift`. For a negative shift, of an input of scale below 2^-28, 64-bit hosts shift by its
    six low bits, and TFLM gives a step from -128 to 127 there instead of 0; the oracle is such a host.
    """
    most = ((1 << LOGISTIC_INTEGER_BITS) - 1) * 2.0 ** (31 - LOGISTIC_INTEGER_BITS)
    if shift >= 0:
        return floor(most / 2.0**shift)
    return floor(most / (-(2.0**63) if shift == -1 else 2.0 ** (64 + shift)))


def logistic_values(q: Array, x: Quantized) -> Array:
    """LOGISTIC, int8 to int8 (whose output scale is 1/256 and zero point -128). Source: TFLM integer_ops/logistic.h."""
    factor = Multiplier(*quantize_multiplier(_scale(x) * (1 << (31 - LOGISTIC_INTEGER_BITS))))
    radius = _logistic_radius(factor.shift)
    centred = q.astype(np.int64) - x.q.zero_point
    inside: Ints = np.clip(centred, -radius, radius)
    raw = logistic(multiply_by_quantized_multiplier(inside, factor.m, factor.shift), LOGISTIC_INTEGER_BITS)
    values = np.clip(rounding_shift_right(raw, 23) - 128, -128, 127)
    return np.where(centred <= -radius, -128, np.where(centred >= radius, 127, values)).astype(np.int8)


def real_values(q: Array, quant: Quantization) -> npt.NDArray[np.float64]:
    """What integers stand for, with one scale or one for each slice along an axis."""
    along = [1] * q.ndim
    if quant.per_channel and quant.axis is not None:
        along[quant.axis] = -1
    scales, zeros = (np.array(values, np.float64).reshape(along) for values in (quant.scales, quant.zero_points))
    real: npt.NDArray[np.float64] = (q.astype(np.float64) - zeros) * scales
    return real


def dequantize_values(q: Array, x: Quantized) -> Array:
    """DEQUANTIZE: float32 of scale * (q - zero_point), multiplied in double."""
    return ((q.astype(np.float64) - x.q.zero_point) * _scale(x)).astype(np.float32)


def quantize_values(values: Array, y: Quantized) -> Array:
    """QUANTIZE from float32: round half away from zero of value / scale in float32, plus zero point, saturated.

    TFLM's conversion to int32 is undefined for NaN and beyond int32; here NaN gives the zero point, the rest saturates.
    """
    with np.errstate(all="ignore"):
        ratio = values.astype(np.float32) / np.float32(y.q.scale)
    ratio = np.nan_to_num(ratio, nan=0.0, posinf=1e30, neginf=-1e30).astype(np.float64)
    rounded = np.copysign(np.floor(np.abs(ratio) + 0.5), ratio)
    clipped: Array = np.clip(rounded + y.q.zero_point, *y.dtype.range).astype(y.dtype.numpy)
    return clipped
