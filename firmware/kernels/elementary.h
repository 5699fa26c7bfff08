/* exp, log, expm1, tanh, logistic, sin and cos of float32, the same bits on every machine: no C library is called, every
 * product is rounded before it is added to. harness/quantization/elementary.py has the same, step by step, and the source of
 * the polynomials. */
#ifndef HIL_KERNELS_ELEMENTARY_H
#define HIL_KERNELS_ELEMENTARY_H

#include "floats.h"

/* value * x + c, rounded twice */
HIL_INLINE float hil_horner(float value, float x, float c)
{
    return hil_rounded(value * x) + c;
}

HIL_INLINE float hil_exp(float x)
{
    /* 1.5 * 2^23: what is added to it is rounded to a whole number, ties to even, and lies in its lowest bits */
    const float whole = 12582912.0f;
    const int far = (hil_float_bits(x) & 0x7fffffff) > 0x42800000; /* beyond 64 */
    if (far) {
        if (x != x) {
            return x;
        }
        x = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x;
    }
    const float rounded = hil_rounded(hil_rounded(x * 1.44269504088896341f) + whole);
    const float turns = rounded - whole;
    float r = x - hil_rounded(turns * 0.693359375f);
    r = r - hil_rounded(turns * -2.12194440e-4f);
    float p = 1.9875691500e-4f;
    p = hil_horner(p, r, 1.3981999507e-3f);
    p = hil_horner(p, r, 8.3334519073e-3f);
    p = hil_horner(p, r, 4.1665795894e-2f);
    p = hil_horner(p, r, 1.6666665459e-1f);
    p = hil_horner(p, r, 5.0000001201e-1f);
    const float value = hil_rounded(p * hil_rounded(r * r)) + r + 1.0f;
    if (far) {
        const int32_t n = hil_float_bits(rounded) - 0x4b400000, half = n >> 1;
        return value * hil_bits_float((half + 127) * (1 << 23)) * hil_bits_float((n - half + 127) * (1 << 23));
    }
    /* no subnormal, and finite */
    return hil_bits_float((int32_t)((uint32_t)hil_float_bits(value) + ((uint32_t)hil_float_bits(rounded) << 23)));
}

HIL_INLINE float hil_log(float x)
{
    if (!(x > 0.0f) || x > 3.40282347e+38f) {
        return x == 0.0f ? hil_bits_float((int32_t)0xff800000U) : x > 0.0f ? x : hil_bits_float(0x7fc00000);
    }
    const int tiny = x < 1.1754944e-38f;
    const int32_t bits = hil_float_bits(tiny ? x * 8388608.0f : x);
    int32_t exponent = (bits >> 23) - 126 - (tiny ? 23 : 0);
    float m = hil_bits_float((bits & 0x7fffff) | 0x3f000000);
    if (m < 0.707106781186547524f) {
        exponent -= 1;
        m = m + m;
    }
    const float r = m - 1.0f, z = hil_rounded(r * r), e = (float)exponent;
    float p = 7.0376836292e-2f;
    p = hil_horner(p, r, -1.1514610310e-1f);
    p = hil_horner(p, r, 1.1676998740e-1f);
    p = hil_horner(p, r, -1.2420140846e-1f);
    p = hil_horner(p, r, 1.4249322787e-1f);
    p = hil_horner(p, r, -1.6668057665e-1f);
    p = hil_horner(p, r, 2.0000714765e-1f);
    p = hil_horner(p, r, -2.4999993993e-1f);
    p = hil_horner(p, r, 3.3333331174e-1f);
    float value = hil_rounded(hil_rounded(p * r) * z);
    value = value + hil_rounded(e * -2.12194440e-4f);
    value = value - hil_rounded(0.5f * z);
    value = r + value;
    return value + hil_rounded(e * 0.693359375f);
}

HIL_INLINE float hil_expm1(float x)
{
    if (!(x < 0.35f && x > -0.35f)) {
        return hil_exp(x) - 1.0f;
    }
    float p = 1.0f / 5040.0f;
    p = hil_horner(p, x, 1.0f / 720.0f);
    p = hil_horner(p, x, 1.0f / 120.0f);
    p = hil_horner(p, x, 1.0f / 24.0f);
    p = hil_horner(p, x, 1.0f / 6.0f);
    p = hil_horner(p, x, 0.5f);
    return hil_rounded(p * hil_rounded(x * x)) + x;
}

HIL_INLINE float hil_tanh(float x)
{
    const float size = x < 0.0f ? -x : x;
    if (size < 0.625f) {
        const float z = hil_rounded(x * x);
        float p = -5.70498872745e-3f;
        p = hil_horner(p, z, 2.06390887954e-2f);
        p = hil_horner(p, z, -5.37397155531e-2f);
        p = hil_horner(p, z, 1.33314422036e-1f);
        p = hil_horner(p, z, -3.33332819422e-1f);
        return hil_rounded(hil_rounded(p * z) * x) + x;
    }
    const float far = 1.0f - 2.0f / (hil_exp(size + size) + 1.0f);
    return x < 0.0f ? -far : far;
}

HIL_INLINE float hil_logistic(float x)
{
    if (x > 16.619047164916992f) {
        return 1.0f;
    }
    return x < -9.0f ? hil_exp(x) : 1.0f / (1.0f + hil_exp(-x));
}

/* As hil_rounded. */
HIL_INLINE double hil_rounded_double(double value)
{
#if defined(__GNUC__) && defined(__ARM_FP) && (__ARM_FP & 8)
    __asm__("" : "+w"(value));
#elif defined(__GNUC__) && defined(__SSE2__)
    __asm__("" : "+x"(value));
#elif defined(__GNUC__) && defined(__aarch64__)
    __asm__("" : "+w"(value));
#endif
    return value; /* elsewhere a product is a call, or has a register of its own */
}

/* What is left of |x| > 128 beyond quarter turns, whose number goes to *turns: x times the bits of 2 / pi that matter
 * modulo four quarters and to 2^-62 of one (Payne and Hanek, Radian Reduction for Trigonometric Functions, 1983). */
HIL_INLINE float hil_turned_far(float x, int32_t *turns)
{
    /* 2 / pi behind 32 zero bits */
    static const uint32_t table[9] = {0U,          0xa2f9836eU, 0x4e441529U, 0xfc2757d1U, 0xf534ddc0U,
                                      0xdb629599U, 0x3c439041U, 0xfe5163abU, 0U};
    const uint32_t bits = (uint32_t)hil_float_bits(x);
    const int32_t exponent = (int32_t)((bits >> 23) & 0xffU);
    const uint64_t m = (bits & 0x7fffffU) | 0x800000U;
    const uint32_t at = (uint32_t)(exponent - 120);
    const uint32_t *word = table + (at >> 5);
    const uint32_t shift = 32U - (at & 31U);
    uint64_t turn;
    int64_t rest;
    if (exponent == 255) {
        *turns = 0;
        return hil_bits_float(0x7fc00000);
    }
    turn = (m * (uint32_t)((((uint64_t)word[2] << 32) | word[3]) >> shift)) >> 32;
    turn += m * (uint32_t)((((uint64_t)word[1] << 32) | word[2]) >> shift);
    turn += (m * (uint32_t)((((uint64_t)word[0] << 32) | word[1]) >> shift)) << 32;
    *turns = (int32_t)(turn >> 62) + (int32_t)((turn >> 61) & 1U);
    turn <<= 2;
    memcpy(&rest, &turn, 8);
    const float left = (float)((double)rest * (1.5707963267948966 / 18446744073709551616.0));
    if (x < 0.0f) {
        *turns = -*turns;
        return -left;
    }
    return left;
}

/* sine with `shift` 0, cosine with 1 */
HIL_INLINE float hil_wave(float x, int32_t shift)
{
    int32_t turns;
    float r;
    if (x < 0.785f && x > -0.785f) { /* no quarter turn: doubles would leave it as it is */
        turns = 0;
        r = x;
    } else if (x <= 128.0f && x >= -128.0f) {
        const double turned = hil_rounded_double((double)x * 0.6366197723675814) + 0.5;
        const int32_t whole = (int32_t)turned;
        turns = whole - ((double)whole > turned ? 1 : 0);
        r = (float)((double)x - hil_rounded_double((double)turns * 1.5707963267948966));
    } else {
        r = hil_turned_far(x, &turns);
    }
    const int32_t quarter = (turns + shift) & 3;
    const float z = hil_rounded(r * r);
    float value;
    if (quarter & 1) {
        float p = 2.443315711809948e-5f;
        p = hil_horner(p, z, -1.388731625493765e-3f);
        p = hil_horner(p, z, 4.166664568298827e-2f);
        value = hil_rounded(hil_rounded(p * z) * z) - hil_rounded(0.5f * z) + 1.0f;
    } else {
        float p = -1.9515295891e-4f;
        p = hil_horner(p, z, 8.3321608736e-3f);
        p = hil_horner(p, z, -1.6666654611e-1f);
        value = hil_rounded(hil_rounded(p * z) * r) + r;
    }
    return quarter & 2 ? -value : value;
}

#endif
