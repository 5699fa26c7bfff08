"""exp, log, expm1, tanh, logistic, sin and cos of float32, step by step as firmware/kernels/elementary.h has them.

C libraries differ in the last bit of these. Here every step is one rounded float32 operation (sin and cos reduce their
argument in double), so that host, emulator, board and this specification give the same bits; tests state the distance
from TFLM's host library in ULP. Source of the polynomials: S. Moshier, Cephes Mathematical Library, single precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]
Function: TypeAlias = Callable[[Floats], Floats]

_F = np.float32
LOG2E = _F(1.44269504088896341)
LN2_HIGH, LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)
EXP = tuple(
    map(_F, (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1))
)
LOG = tuple(
    map(
        _F,
        (
            *(7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1),
            *(-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1),
        ),
    )
)
EXPM1 = tuple(map(_F, (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5)))
TANH = tuple(map(_F, (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)))
SIN = tuple(map(_F, (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)))
COS = tuple(map(_F, (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)))
HALF_PI, TWO_OVER_PI = 1.5707963267948966, 0.6366197723675814
HALF_PI_OF_2_64 = HALF_PI / 2**64
FAR = _F(128)
"""Beyond it a double has too few bits for what is left of the argument near a multiple of pi / 2."""
TWO_OVER_PI_BITS = (
    *(0, 0xA2F9836E, 0x4E441529, 0xFC2757D1),
    *(0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB),
)
"""2 / pi behind 32 zero bits, 224 bits of it."""


def _horner(x: Floats, coefficients: Sequence[np.float32]) -> Floats:
    value = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        value = value * x + c
    return value


def _power(n: npt.NDArray[np.int32]) -> Floats:
    """2**n for -126 <= n <= 127."""
    return ((n + 127) << 23).astype(np.int32).view(np.float32)


def exp(x: Floats) -> Floats:
    """e**x; 0 and infinity where float32 ends."""
    with np.errstate(all="ignore"):
        inside = np.clip(np.where(np.isnan(x), _F(0), x), _F(-104), _F(89))
        n = np.floor(inside * LOG2E + _F(0.5))
        r = inside - n * LN2_HIGH
        r = r - n * LN2_LOW
        value = _horner(r, EXP) * (r * r) + r + _F(1)
        whole = n.astype(np.int32)
        half = whole >> 1
        return np.where(np.isnan(x), x, value * _power(half) * _power(whole - half))


def exp_double(x: Doubles) -> Doubles:
    """e**x in double, within an ULP or two of it (S. Moshier, Cephes Mathematical Library, exp.c)."""
    with np.errstate(all="ignore"):
        inside = np.clip(np.where(np.isnan(x), 0.0, x), -746.0, 710.0)
        n = np.floor(inside * 1.4426950408889634 + 0.5)
        r = inside - n * 0.693145751953125
        r = r - n * 1.42860682030941723212e-6
        z = r * r
        p = ((1.26177193074810590878e-4 * z + 3.02994407707441961300e-2) * z + 1.0) * r
        q = (3.00198505138664455042e-6 * z + 2.52448340349684104192e-3) * z + 2.27265548208155028766e-1
        q = q * z + 2.0
        part = p / (q - p)
        whole = n.astype(np.int64)
        half = whole >> 1
        value = (part + part + 1.0) * np.ldexp(1.0, half) * np.ldexp(1.0, whole - half)
        return np.where(np.isnan(x), x, value)


def log(x: Floats) -> Floats:
    """Natural logarithm: -infinity of 0, no number below."""
    with np.errstate(all="ignore"):
        tiny = x < _F(1.1754944e-38)
        usual = np.where((x > 0) & np.isfinite(x), np.where(tiny, x * _F(8388608), x), _F(1))
        bits = usual.view(np.int32)
        exponent = (bits >> 23) - 126 - np.where(tiny, 23, 0)
        mantissa = ((bits & 0x7FFFFF) | 0x3F000000).astype(np.int32).view(np.float32)
        low = mantissa < _F(0.707106781186547524)
        e = np.where(low, exponent - 1, exponent).astype(np.float32)
        r = np.where(low, mantissa + mantissa, mantissa) - _F(1)
        z = r * r
        value = _horner(r, LOG) * r * z
        value = value + e * LN2_LOW
        value = value - _F(0.5) * z
        value = r + value
        value = value + e * LN2_HIGH
        edge = np.where(x == 0, _F(-np.inf), np.where(x > 0, x, _F(np.nan)))
        return np.where((x > 0) & np.isfinite(x), value, edge).astype(np.float32)


def expm1(x: Floats) -> Floats:
    """e**x - 1, exact near 0 too."""
    with np.errstate(all="ignore"):
        near = _horner(x, EXPM1) * (x * x) + x
        return np.where(np.abs(x) < _F(0.35), near, exp(x) - _F(1))


def tanh(x: Floats) -> Floats:
    """Hyperbolic tangent."""
    with np.errstate(all="ignore"):
        size = np.abs(x)
        z = x * x
        near = _horner(z, TANH) * z * x + x
        far = _F(1) - _F(2) / (exp(size + size) + _F(1))
        return np.where(size < _F(0.625), near, np.where(x < 0, -far, far))


def logistic(x: Floats) -> Floats:
    """1 / (1 + e**-x); beyond TFLM's cut-offs 1, and e**x (TFLM, reference/logistic.h)."""
    with np.errstate(all="ignore"):
        middle = _F(1) / (_F(1) + exp(-x))
        return np.where(x > _F(16.619047164916992), _F(1), np.where(x < _F(-9), exp(x), middle))


def _turned(x: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """(quarter turns, rest in -pi/4..pi/4); of infinity, the rest is no number."""
    with np.errstate(all="ignore"):
        usual = np.where(np.abs(x) <= FAR, x, _F(0)).astype(np.float64)
        turns = np.floor(usual * TWO_OVER_PI + 0.5)
        rest = (usual - turns * HALF_PI).astype(np.float32)
    far_turns, far_rest = _turned_far(x)
    near = np.abs(x) <= FAR
    return np.where(near, turns.astype(np.int64), far_turns) & 3, np.where(near, rest, far_rest)


def _turned_far(x: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """The same of |x| > FAR: x times the bits of 2 / pi that matter modulo four quarters and to 2**-62 of one.

    Source: M. Payne and R. Hanek, Radian Reduction for Trigonometric Functions, SIGNUM Newsletter 18, 1983.
    """
    bits = np.ascontiguousarray(x).view(np.uint32)
    exponent = ((bits >> 23) & 0xFF).astype(np.int64)
    m = ((bits & 0x7FFFFF) | 0x800000).astype(np.uint64)
    at = np.clip(exponent - 120, 0, 134)
    word, shift = at >> 5, (at & 31).astype(np.uint64)
    table = np.array((*TWO_OVER_PI_BITS, 0), np.uint64)

    def window(i: int) -> npt.NDArray[np.uint64]:
        pair = (table[word + i] << np.uint64(32)) | table[word + i + 1]
        word_of_it: npt.NDArray[np.uint64] = (pair >> (np.uint64(32) - shift)) & np.uint64(0xFFFFFFFF)
        return word_of_it

    low = m * window(2)
    middle = m * window(1) + (low >> np.uint64(32))
    high = m * window(0) + (middle >> np.uint64(32))
    turn = (high << np.uint64(32)) | (middle & np.uint64(0xFFFFFFFF))
    quarter = ((turn >> np.uint64(62)) + ((turn >> np.uint64(61)) & np.uint64(1))).astype(np.int64)
    rest = ((turn << np.uint64(2)).view(np.int64).astype(np.float64) * HALF_PI_OF_2_64).astype(np.float32)
    negative = (bits >> 31) != 0
    rest = np.where(exponent == 255, _F(np.nan), np.where(negative, -rest, rest))
    return np.where(negative, -quarter, quarter), rest


def _wave(x: Floats, shift: int) -> Floats:
    quarter, r = _turned(x)
    quarter = (quarter + shift) & 3
    z = r * r
    sine = _horner(z, SIN) * z * r + r
    cosine = _horner(z, COS) * z * z - _F(0.5) * z + _F(1)
    value = np.where(quarter & 1, cosine, sine)
    return np.where(quarter & 2, -value, value)


def sin(x: Floats) -> Floats:
    """Sine."""
    return _wave(x, 0)


def cos(x: Floats) -> Floats:
    """Cosine."""
    return _wave(x, 1)
