/* floor() of a double and fmod() of floats, exact: no C library is called, so that a firmware links without libm. */
#ifndef HIL_KERNELS_FLOAT_DIVISION_H
#define HIL_KERNELS_FLOAT_DIVISION_H

#include <string.h>

#include "kernel.h"

HIL_INLINE double hil_floor_double(double x)
{
    double whole;
    if (x == 0.0 || !(x > -0x1p52 && x < 0x1p52)) {
        return x; /* a zero keeps its sign; larger ones have no fraction */
    }
    whole = (double)(int64_t)x;
    return whole > x ? whole - 1.0 : whole;
}

/* a - b * trunc(a / b), with the sign of a. Both are integers times a power of two: the remainder of a long division,
 * eight bits a step. */
HIL_INLINE float hil_float_remainder(float a, float b)
{
    uint32_t bits_a, bits_b, sign, rest, divisor;
    int32_t exponent_a, exponent_b;
    memcpy(&bits_a, &a, 4);
    memcpy(&bits_b, &b, 4);
    sign = bits_a & 0x80000000U;
    bits_a &= 0x7fffffffU;
    bits_b &= 0x7fffffffU;
    if (bits_b == 0 || bits_b > 0x7f800000U || bits_a >= 0x7f800000U) {
        return (a * b) / (a * b); /* no number */
    }
    if (bits_a < bits_b) {
        return a;
    }
    /* Numbers without the leading bit have the exponent of the smallest with it. */
    exponent_a = (int32_t)(bits_a >> 23);
    exponent_b = (int32_t)(bits_b >> 23);
    rest = exponent_a ? (bits_a & 0x7fffffU) | 0x800000U : bits_a;
    divisor = exponent_b ? (bits_b & 0x7fffffU) | 0x800000U : bits_b;
    exponent_a += exponent_a == 0;
    exponent_b += exponent_b == 0;
    rest %= divisor;
    while (exponent_a > exponent_b && rest) {
        const int32_t step = exponent_a - exponent_b < 8 ? exponent_a - exponent_b : 8;
        rest = (rest << step) % divisor;
        exponent_a -= step;
    }
    while (rest && rest < 0x800000U && exponent_b > 1) {
        rest <<= 1;
        exponent_b--;
    }
    bits_a = sign | (rest < 0x800000U ? rest : ((uint32_t)exponent_b << 23) + (rest - 0x800000U));
    memcpy(&a, &bits_a, 4);
    return a;
}

#endif
