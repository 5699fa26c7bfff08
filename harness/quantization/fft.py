"""The Fourier transform of real numbers, fixed point or float32, as kiss_fft computes it for TFLM's signal operators.

Half as many complex numbers are made of pairs of reals, transformed in steps of four (and one of two where the length
asks for it), and untangled. Fixed-point numbers are divided before every step that could overflow, and products are
rounded; float32 rounds every operation by itself.

Source: kiss_fft 1.3.0, kiss_fft.c and tools/kiss_fftr.c, with FIXED_POINT of 16 and 32 bits and with float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from harness.quantization.types import Array, DType

Reals: TypeAlias = Any
"""Array of the numbers' own type, in which integers wrap around."""
Complex: TypeAlias = tuple[Reals, Reals]
"""(real, imaginary)."""


@dataclass(frozen=True)
class Numbers:
    """The arithmetic of one element type."""

    dtype: DType

    @property
    def bits(self) -> int:
        """Fraction bits of fixed-point numbers; 0 for floats."""
        return {DType.INT16: 15, DType.INT32: 31}.get(self.dtype, 0)

    def turn(self, phase: float) -> tuple[int | float, int | float]:
        """The complex number of length one at an angle, in the numbers' own type."""
        if not self.bits:
            return float(np.float32(math.cos(phase))), float(np.float32(math.sin(phase)))
        most = (1 << self.bits) - 1
        return math.floor(0.5 + most * math.cos(phase)), math.floor(0.5 + most * math.sin(phase))

    def divided(self, a: Complex, by: int) -> Complex:
        """a / by for fixed point, as the multiplication by a rounded reciprocal that it is; floats as they are."""
        if not self.bits:
            return a
        factor = ((1 << self.bits) - 1) // by
        return self._rounded(self._wide(a[0]) * factor), self._rounded(self._wide(a[1]) * factor)

    def times(self, a: Complex, b: Complex) -> Complex:
        """The product."""
        if not self.bits:
            return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]
        (ar, ai), (br, bi) = ((self._wide(part) for part in n) for n in (a, b))
        return self._rounded(ar * br - ai * bi), self._rounded(ar * bi + ai * br)

    def half(self, a: Reals, b: Reals, sign: int = 1) -> Reals:
        """(a + sign * b) / 2, rounded down for fixed point; a sum of int32 wraps around before, one of int16 not."""
        if not self.bits:
            return (a + sign * b) * np.float32(0.5)
        total = self._wide(a) + sign * self._wide(b)
        return (total.astype(np.int32) >> 1).astype(self.dtype.numpy)

    def _wide(self, a: Reals) -> Reals:
        return a.astype(np.int64)

    def _rounded(self, a: Reals) -> Reals:
        return ((a + (1 << (self.bits - 1))) >> self.bits).astype(self.dtype.numpy)


def steps(length: int) -> tuple[int, ...]:
    """Radices of a transform of `length` (a power of two) complex numbers, the outermost first."""
    found = []
    while length > 1:
        found.append(4 if length % 4 == 0 else 2)
        length //= found[-1]
    return tuple(found)


def places(length: int, stride: int = 1) -> list[int]:
    """Where the innermost step finds its numbers: the index in the input of each, times `stride`."""
    if length == 1:
        return [0]
    radix = steps(length)[0]
    inner = places(length // radix, stride * radix)
    return [part * stride + place for part in range(radix) for place in inner]


def twiddles(length: int, numbers: Numbers, inverse: bool) -> Array:
    """[length, 2]: the roots of unity of a complex transform."""
    sign = 1 if inverse else -1
    turns = [numbers.turn(sign * 2 * math.pi * i / length) for i in range(length)]
    return np.array(turns, numbers.dtype.numpy)


def super_twiddles(length: int, numbers: Numbers, inverse: bool) -> Array:
    """[length // 2, 2]: what untangles a real transform from one of `length` complex numbers."""
    sign = 1 if inverse else -1
    turns = [numbers.turn(sign * math.pi * ((i + 1) / length + 0.5)) for i in range(length // 2)]
    return np.array(turns, numbers.dtype.numpy).reshape(-1, 2)


def _add(a: Complex, b: Complex) -> Complex:
    return a[0] + b[0], a[1] + b[1]


def _subtract(a: Complex, b: Complex) -> Complex:
    return a[0] - b[0], a[1] - b[1]


def _turned(a: Complex, inverse: bool) -> Complex:
    """a times i, or -i for the forward transform."""
    return (-a[1], a[0]) if inverse else (a[1], -a[0])


def transform(a: Complex, numbers: Numbers, inverse: bool) -> Complex:
    """The complex transform [..., n] -> [..., n], n a power of two."""
    length = a[0].shape[-1]
    roots, order, size = twiddles(length, numbers, inverse), places(length), 1
    a = a[0][..., order], a[1][..., order]
    for radix in reversed(steps(length)):
        blocks = length // (size * radix)
        rows = tuple(part.reshape(*part.shape[:-1], blocks, radix, size) for part in a)
        at = np.arange(size) * blocks
        first, *others = (numbers.divided((rows[0][..., q, :], rows[1][..., q, :]), radix) for q in range(radix))
        turned = [numbers.times(b, (roots[q * at, 0], roots[q * at, 1])) for q, b in enumerate(others, 1)]
        a = _joined(_butterfly(first, turned, inverse), a[0].shape)
        size *= radix
    return a


def _butterfly(first: Complex, others: list[Complex], inverse: bool) -> list[Complex]:
    if len(others) == 1:
        return [_add(first, others[0]), _subtract(first, others[0])]
    one, two, three = others
    low, sum_, difference = _subtract(first, two), _add(one, three), _turned(_subtract(one, three), inverse)
    high = _add(first, two)
    return [_add(high, sum_), _add(low, difference), _subtract(high, sum_), _subtract(low, difference)]


def _joined(parts: list[Complex], shape: tuple[int, ...]) -> Complex:
    real, imaginary = (np.stack([part[i] for part in parts], axis=-2).reshape(shape) for i in range(2))
    return real, imaginary


def real_transform(x: Array, dtype: DType) -> Array:
    """Reals [..., 2n] -> [..., n + 1, 2], the parts of complex numbers: the half of the spectrum that tells all."""
    numbers = Numbers(dtype)
    n = x.shape[-1] // 2
    re, im = transform((x[..., 0::2], x[..., 1::2]), numbers, inverse=False)
    made = np.zeros((*x.shape[:-1], n + 1, 2), dtype.numpy)
    zero = numbers.divided((re[..., 0], im[..., 0]), 2)
    made[..., 0, 0], made[..., n, 0] = zero[0] + zero[1], zero[0] - zero[1]
    k = np.arange(1, n // 2 + 1)
    roots = super_twiddles(n, numbers, inverse=False)
    one = numbers.divided((re[..., k], im[..., k]), 2)
    other = numbers.divided((re[..., n - k], -im[..., n - k]), 2)
    sum_ = _add(one, other)
    turned = numbers.times(_subtract(one, other), (roots[k - 1, 0], roots[k - 1, 1]))
    # Where k is n - k, the second is what stays.
    made[..., k, 0], made[..., k, 1] = numbers.half(sum_[0], turned[0]), numbers.half(sum_[1], turned[1])
    made[..., n - k, 0] = numbers.half(sum_[0], turned[0], -1)
    made[..., n - k, 1] = numbers.half(turned[1], sum_[1], -1)
    return made


def real_inverse(x: Array, dtype: DType) -> Array:
    """[..., n + 1, 2] -> reals [..., 2n]."""
    numbers = Numbers(dtype)
    re: Reals = x[..., 0]
    im: Reals = x[..., 1]
    n = x.shape[-2] - 1
    made: Complex = (np.zeros((*re.shape[:-1], n), dtype.numpy), np.zeros((*re.shape[:-1], n), dtype.numpy))
    made[0][..., 0], made[1][..., 0] = numbers.divided((re[..., 0] + re[..., n], re[..., 0] - re[..., n]), 2)
    k = np.arange(1, n // 2 + 1)
    roots = super_twiddles(n, numbers, inverse=True)
    one = numbers.divided((re[..., k], im[..., k]), 2)
    other = numbers.divided((re[..., n - k], -im[..., n - k]), 2)
    even = _add(one, other)
    odd = numbers.times(_subtract(one, other), (roots[k - 1, 0], roots[k - 1, 1]))
    for part, sum_, difference in zip(made, _add(even, odd), _subtract(even, odd), strict=True):
        part[..., k] = sum_
        part[..., n - k] = difference
    made[1][..., n - k] = -made[1][..., n - k]
    return np.stack(transform(made, numbers, inverse=True), axis=-1).reshape(*re.shape[:-1], 2 * n)
