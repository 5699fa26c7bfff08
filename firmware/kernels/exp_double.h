/* exp in double, the same bits on every machine: harness/quantization/elementary.py has it step by step, and its source. */
#ifndef HIL_KERNELS_EXP_DOUBLE_H
#define HIL_KERNELS_EXP_DOUBLE_H

#include "elementary.h"

/* 2^n for -1022 <= n <= 1023 */
HIL_INLINE double hil_power_double(int32_t n)
{
    const uint64_t bits = (uint64_t)(uint32_t)(n + 1023) << 52;
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

HIL_INLINE double hil_horner_double(double value, double x, double c)
{
    return hil_rounded_double(value * x) + c;
}

static HIL_NOINLINE double hil_exp_double(double x)
{
    if (x != x) {
        return x;
    }
    const double inside = x < -746.0 ? -746.0 : x > 710.0 ? 710.0 : x;
    const double turned = hil_rounded_double(inside * 1.4426950408889634) + 0.5;
    const int32_t whole = (int32_t)turned;
    const int32_t n = whole - ((double)whole > turned ? 1 : 0);
    double r = inside - hil_rounded_double((double)n * 0.693145751953125);
    r = r - hil_rounded_double((double)n * 1.42860682030941723212e-6);
    const double z = hil_rounded_double(r * r);
    double p = 1.26177193074810590878e-4;
    p = hil_horner_double(p, z, 3.02994407707441961300e-2);
    p = hil_horner_double(p, z, 1.0);
    p = hil_rounded_double(p * r);
    double q = 3.00198505138664455042e-6;
    q = hil_horner_double(q, z, 2.52448340349684104192e-3);
    q = hil_horner_double(q, z, 2.27265548208155028766e-1);
    q = hil_horner_double(q, z, 2.0);
    const double part = hil_rounded_double(p / (q - p));
    const double value = hil_rounded_double(part + part) + 1.0;
    const int32_t half = n >> 1;
    return hil_rounded_double(value * hil_power_double(half)) * hil_power_double(n - half);
}

#endif
