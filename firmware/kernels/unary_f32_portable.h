/* Functions of one float32. The operation is a literal, of which the compiler keeps one. Works in place. */
#ifndef HIL_KERNELS_UNARY_F32_PORTABLE_H
#define HIL_KERNELS_UNARY_F32_PORTABLE_H

#include "elementary.h"

#define HIL_UNARY_ABS 0
#define HIL_UNARY_NEG 1
#define HIL_UNARY_SQUARE 2
#define HIL_UNARY_SQRT 3
#define HIL_UNARY_RSQRT 4
#define HIL_UNARY_EXP 5
#define HIL_UNARY_LOG 6
#define HIL_UNARY_SIN 7
#define HIL_UNARY_COS 8
#define HIL_UNARY_FLOOR 9
#define HIL_UNARY_CEIL 10
#define HIL_UNARY_ROUND 11
#define HIL_UNARY_ELU 12
#define HIL_UNARY_RELU 13
#define HIL_UNARY_RELU6 14
#define HIL_UNARY_LEAKY_RELU 15
#define HIL_UNARY_HARD_SWISH 16
#define HIL_UNARY_LOGISTIC 17
#define HIL_UNARY_TANH 18

typedef struct {
    int32_t count, operation;
} unary_f32_portable_shape;

/* The largest whole number not above; those from 2^23 on are whole, and the sign of 0 stays. */
HIL_INLINE float hil_floor(float x)
{
    if (!(x < 8388608.0f && x > -8388608.0f) || x == 0.0f) {
        return x;
    }
    const int32_t whole = (int32_t)x;
    const int32_t below = whole - ((float)whole > x ? 1 : 0);
    return below == 0 ? 0.0f : hil_float_of(below);
}

HIL_INLINE float hil_round_even(float x)
{
    const float below = hil_floor(x);
    const float rest = x - below;
    if (rest < 0.5f || (rest == 0.5f && below == 2.0f * hil_floor(hil_rounded(below * 0.5f)))) {
        return below;
    }
    return x == x && rest == rest ? below + 1.0f : x;
}

/* x must be no negative number; the compiler's own square root, or Newton's steps rounded as IEEE 754 has it */
HIL_INLINE float hil_sqrt(float x)
{
#if defined(__ARM_FP) && defined(__GNUC__)
    float root;
    __asm__("vsqrt.f32 %0, %1" : "=t"(root) : "t"(x));
    return root;
#elif defined(__SSE__) && defined(__GNUC__)
    float root;
    __asm__("sqrtss %1, %0" : "=x"(root) : "x"(x));
    return root;
#else
    int32_t bits = hil_float_bits(x), exponent = 0;
    if (!(x > 0.0f) || x > 3.40282347e+38f) {
        return x == 0.0f || x > 0.0f || x != x ? x : hil_bits_float(0x7fc00000);
    }
    if (bits < 0x00800000) {
        bits = hil_float_bits(x * 16777216.0f);
        exponent = -24;
    }
    exponent += (bits >> 23) - 127;
    /* the mantissa in 2..4 or 1..2 as a whole number of 2^48, of which the root has 25 bits */
    const uint64_t mantissa = (uint64_t)((uint32_t)(bits & 0x7fffff) | 0x800000U) << (exponent & 1 ? 26 : 25);
    uint64_t root = 0;
    for (int32_t bit = 24; bit >= 0; --bit) {
        const uint64_t tried = root | ((uint64_t)1 << bit);
        root = tried * tried <= mantissa ? tried : root;
    }
    const uint32_t rounded = (uint32_t)((root + 1) >> 1); /* a root is never halfway between two floats */
    const int32_t half = (exponent - (exponent & 1)) / 2;
    return hil_bits_float((int32_t)((uint32_t)(half + 126) << 23) + (int32_t)rounded);
#endif
}

HIL_INLINE float hil_unary(float x, float alpha, int32_t operation)
{
    switch (operation) {
    case HIL_UNARY_ABS:
        return hil_bits_float(hil_float_bits(x) & 0x7fffffff);
    case HIL_UNARY_NEG:
        return -x;
    case HIL_UNARY_SQUARE:
        return x * x;
    case HIL_UNARY_SQRT:
        return hil_sqrt(x);
    case HIL_UNARY_RSQRT:
        return 1.0f / hil_sqrt(x);
    case HIL_UNARY_EXP:
        return hil_exp(x);
    case HIL_UNARY_LOG:
        return hil_log(x);
    case HIL_UNARY_SIN:
        return hil_wave(x, 0);
    case HIL_UNARY_COS:
        return hil_wave(x, 1);
    case HIL_UNARY_FLOOR:
        return hil_floor(x);
    case HIL_UNARY_CEIL:
        return -hil_floor(-x);
    case HIL_UNARY_ROUND:
        return hil_round_even(x);
    case HIL_UNARY_ELU:
        return x < 0.0f ? hil_expm1(x) : x;
    case HIL_UNARY_RELU:
        return x < 0.0f ? 0.0f : x;
    case HIL_UNARY_RELU6:
        return x > 6.0f ? 6.0f : x < 0.0f ? 0.0f : x;
    case HIL_UNARY_LEAKY_RELU:
        return x > 0.0f ? x : x * alpha;
    case HIL_UNARY_HARD_SWISH: {
        const float raised = x + 3.0f < 0.0f ? 0.0f : x + 3.0f;
        return hil_rounded(x * (raised > 6.0f ? 6.0f : raised)) / 6.0f;
    }
    case HIL_UNARY_LOGISTIC:
        return hil_logistic(x);
    default:
        return hil_tanh(x);
    }
}

HIL_INLINE void unary_f32_portable(const float *input, float *output, float alpha, const unary_f32_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        output[i] = hil_unary(input[i], alpha, s->operation);
    }
}

#endif
