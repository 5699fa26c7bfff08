/* QUANTIZE from float32: round(x / scale) + zero point, half away from zero or to even; out of range saturates, NaN is the
 * zero point. */
#ifndef HIL_KERNELS_QUANTIZE_F32_PORTABLE_H
#define HIL_KERNELS_QUANTIZE_F32_PORTABLE_H

#include "convert.h"
#include "floats.h"

typedef struct {
    int32_t count, out_type, out_zero; /* HIL_S8 or HIL_S16 */
    int32_t ties_to_even;
} quantize_f32_portable_shape;

#if defined(__GNUC__) && defined(__ARM_FP)

/* Twice x, cut; saturated to 18 bits, which is beyond every type's range; 0 where x is no number. */
HIL_INLINE int32_t quantize_f32_portable_halves(float x)
{
    int32_t cut;
    __asm__("vcvt.s32.f32 %0, %0, #1" : "+t"(x));
    memcpy(&cut, &x, 4);
    __asm__("ssat %0, #18, %0" : "+r"(cut));
    return cut;
}

HIL_INLINE int32_t quantize_f32_portable_saturate(int32_t value, int32_t type)
{
    if (type == HIL_S8) {
        __asm__("ssat %0, #8, %0" : "+r"(value));
    } else {
        __asm__("ssat %0, #16, %0" : "+r"(value));
    }
    return value;
}

#else

HIL_INLINE int32_t quantize_f32_portable_halves(float x)
{
    if (!(x > -65536.0f && x < 65535.0f)) {
        return x >= 65535.0f ? 131071 : x <= -65536.0f ? -131072 : 0;
    }
    return (int32_t)(x + x);
}

HIL_INLINE int32_t quantize_f32_portable_saturate(int32_t value, int32_t type)
{
    return type == HIL_S8 ? hil_clamp(value, INT8_MIN, INT8_MAX) : hil_clamp(value, INT16_MIN, INT16_MAX);
}

#endif

/* To the nearest, halves away from zero: the half that was cut off counts upwards from zero. */
HIL_INLINE int32_t quantize_f32_portable_round(float x)
{
    const int32_t halves = quantize_f32_portable_halves(x);
    return (halves + 1 + (halves >> 31)) >> 1;
}

HIL_INLINE int32_t quantize_f32_portable_even(float x)
{
    return x != x ? 0 : hil_nearest_even(hil_float_clamp(x, -65536.0f, 65536.0f));
}

HIL_INLINE void quantize_f32_portable(const float *input, uint8_t *output, float scale,
                                      const quantize_f32_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const float steps = input[i] / scale;
        const int32_t whole = s->ties_to_even ? quantize_f32_portable_even(steps) : quantize_f32_portable_round(steps);
        const int32_t value = whole + s->out_zero;
        hil_store(output, i, s->out_type, quantize_f32_portable_saturate(value, s->out_type));
    }
}

#endif
