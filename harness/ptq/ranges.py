"""Ranges of activations: which real numbers the lowest and the highest integer stand for.

Sources: min-max and the affine mapping: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference"; KL: Migacz 2017, "8-bit Inference with TensorRT".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from harness.quantization.types import DType, Quantization

Range: TypeAlias = tuple[float, float]
_Sample: TypeAlias = npt.NDArray[np.float32]

_LEAST_SCALE = 1e-12
_NOTHING = 1.0
"""Range of a tensor that is always 0."""

SAMPLE = 200_000
"""Most values that a range is found from; more are drawn from, always alike."""

_HIGH_STEPS, _LOW_STEPS, _LEAST_SHARE = 36, 15, 0.3
_BINS, _KL_STEP = 2048, 16


def quantization_of(low: float, high: float, dtype: DType) -> Quantization:
    """The scale and zero point with which integers of `dtype` cover a range; int16 has zero point 0, as in TFLM."""
    low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        high = _NOTHING
    least, most = dtype.range
    if dtype is DType.INT16:
        scale = max(max(-low, high) / most, _LEAST_SCALE)
        return Quantization((float(np.float32(scale)),), (0,))
    scale = float(np.float32(max((high - low) / (most - least), _LEAST_SCALE)))
    zero = int(np.clip(round(least - low / scale), least, most))
    return Quantization((scale,), (zero,))


def rounded(values: npt.NDArray[np.floating], quant: Quantization, dtype: DType) -> _Sample:
    """The real numbers that values are once they are quantized."""
    least, most = dtype.range
    scale = np.float32(quant.scale)
    whole = np.clip(np.round(values / scale) + quant.zero_point, least, most) - quant.zero_point
    return cast(_Sample, (whole * scale).astype(np.float32))


def range_of(values: _Sample, method: str, dtype: DType) -> Range:
    """The range of an activation with these values, by a method of harness.ptq.scheme.RANGES."""
    kind, _, share = method.partition("-")
    sample = values.reshape(-1)
    if kind == "min":
        return float(sample.min()), float(sample.max())
    if sample.size > SAMPLE:
        sample = np.random.default_rng(0).choice(sample, SAMPLE, replace=False)
    whole = float(values.min()), float(values.max())
    if kind == "percentile":
        return _by_percentile(sample, float(share))
    finders: dict[str, Callable[[_Sample, Range, DType], Range]] = {"mse": _by_error, "kl": _by_divergence}
    return finders[kind](sample, whole, dtype)


def _by_percentile(sample: _Sample, share: float) -> Range:
    return float(np.percentile(sample, 100 - share)), float(np.percentile(sample, share))


def _by_error(sample: _Sample, whole: Range, dtype: DType) -> Range:
    """The range with the least squared error, of those that are parts of the whole one."""
    low, high = whole
    best, found = np.inf, whole
    lows = np.linspace(_LEAST_SHARE, 1, _LOW_STEPS) if low < 0 else (1.0,)
    highs = np.linspace(_LEAST_SHARE, 1, _HIGH_STEPS) if high > 0 else (1.0,)
    thin = sample if sample.size <= SAMPLE // 10 else np.random.default_rng(0).choice(sample, SAMPLE // 10)
    for of_low in lows:
        for of_high in highs:
            tried = low * float(of_low), high * float(of_high)
            error = float(np.square(rounded(thin, quantization_of(*tried, dtype), dtype) - thin).mean())
            if error < best:
                best, found = error, tried
    return found


def _by_divergence(sample: _Sample, whole: Range, dtype: DType) -> Range:
    """The magnitude up to which the histogram of the quantized values diverges least from that of the values."""
    low, high = whole
    sizes = np.abs(sample)
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return whole
    levels = 128 if low < 0 else 255
    try:
        counts, edges = np.histogram(sizes, _BINS)
    except ValueError:  # all values are as good as one
        return whole
    best, found = np.inf, float(edges[-1])
    for kept in range(levels, _BINS + 1, _KL_STEP):
        inside = counts[:kept].astype(np.float64)
        wanted = inside.copy()
        wanted[-1] += counts[kept:].sum()
        level = np.arange(kept) * levels // kept
        total = np.bincount(level, inside, levels)
        filled = np.bincount(level, wanted > 0, levels)
        given = np.where(wanted > 0, (total / np.maximum(filled, 1))[level], 0)
        if not given.sum():
            continue
        p, q = wanted / wanted.sum(), given / given.sum()
        there = p > 0
        divergence = float((p[there] * np.log(p[there] / np.maximum(q[there], 1e-9))).sum())
        if divergence < best:
            best, found = divergence, float(edges[kept])
    return max(low, -found), min(high, found)
