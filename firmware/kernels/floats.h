/* float32 as TensorFlow Lite Micro computes it on its host: every operation rounded by itself.
 *
 * Compilers join a product and a sum into one rounding (contraction) where the core can; hil_rounded() keeps them apart
 * whatever flags a firmware is built with. */
#ifndef HIL_KERNELS_FLOATS_H
#define HIL_KERNELS_FLOATS_H

#include <string.h>

#include "kernel.h"

/* The same value, which the compiler takes for a new one. */
HIL_INLINE float hil_rounded(float value)
{
#if defined(__GNUC__) && defined(__ARM_FP)
    __asm__("" : "+t"(value));
#elif defined(__GNUC__) && defined(__SSE__)
    __asm__("" : "+x"(value));
#elif defined(__GNUC__) && defined(__aarch64__)
    __asm__("" : "+w"(value));
#elif defined(__GNUC__)
    __asm__("" : "+r"(value));
#endif
    return value;
}

/* An integer as a float where only one branch needs it. For cores with MVE, GCC makes such a conversion a conditional
 * one, "vcvtne.f32.s32", which GNU as takes for a vector's "vcvtn": behind hil_rounded() it stays unconditional. */
HIL_INLINE float hil_float_of(int32_t value)
{
    return hil_rounded((float)value);
}

HIL_INLINE float hil_float_load(const uint8_t *p)
{
    float value;
    memcpy(&value, p, 4);
    return value;
}

HIL_INLINE void hil_float_store(uint8_t *p, float value)
{
    memcpy(p, &value, 4);
}

HIL_INLINE float hil_bits_float(int32_t bits)
{
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

HIL_INLINE int32_t hil_float_bits(float value)
{
    int32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

/* To the nearest integer, ties to even, of a value within -2^22..2^22: there the last bit of value + 1.5 * 2^23 is one. */
HIL_INLINE int32_t hil_nearest_even(float value)
{
    return hil_float_bits(hil_rounded(hil_rounded(value) + 12582912.0f)) - 0x4b400000;
}

#define HIL_FLOAT_MAX 3.40282346638528859812e+38f

/* As std::min(std::max(value, low), high): what is no number stays so. */
HIL_INLINE float hil_float_clamp(float value, float low, float high)
{
    const float raised = value < low ? low : value;
    return high < raised ? high : raised;
}

/* The same where low and high are literals: between the ends of the type only infinities change, by one bit. */
HIL_INLINE float hil_float_clamp_literal(float value, float low, float high)
{
    if (low == -HIL_FLOAT_MAX && high == HIL_FLOAT_MAX) {
        const int32_t bits = hil_float_bits(value);
        return hil_bits_float((uint32_t)bits << 1 == 0xff000000U ? bits - 1 : bits);
    }
    return hil_float_clamp(value, low, high);
}

#endif
