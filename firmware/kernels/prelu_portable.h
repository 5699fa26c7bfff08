/* PRELU, int8 and float32, with slopes that are broadcast. */
#ifndef HIL_KERNELS_PRELU_PORTABLE_H
#define HIL_KERNELS_PRELU_PORTABLE_H

#include "floats.h"
#include "nest.h"
#include "requantize.h"

typedef struct {
    hil_nest nest; /* a: the input, b: the slopes, in elements */
    int32_t is_float;
    int32_t in_zero, slope_zero, above_multiplier, above_shift, below_multiplier, below_shift, out_zero;
} prelu_portable_shape;

HIL_INLINE void prelu_portable(const uint8_t *input, const uint8_t *slopes, uint8_t *output, const prelu_portable_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        const int32_t x = hil_i0 * s->nest.a0 + hil_i1 * s->nest.a1 + hil_i2 * s->nest.a2 + hil_i3 * s->nest.a3;
        const int32_t y = hil_i0 * s->nest.b0 + hil_i1 * s->nest.b1 + hil_i2 * s->nest.b2 + hil_i3 * s->nest.b3;
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t a = x + i * s->nest.a4, b = y + i * s->nest.b4;
            if (s->is_float) {
                const float value = hil_float_load(input + 4 * a);
                hil_float_store(output, value >= 0.0f ? value : value * hil_float_load(slopes + 4 * b));
                output += 4;
            } else {
                const int32_t value = (int8_t)input[a] - s->in_zero;
                const int32_t made =
                    value >= 0 ? hil_requantize(value, s->above_multiplier, s->above_shift)
                               : hil_requantize(value * ((int8_t)slopes[b] - s->slope_zero), s->below_multiplier,
                                                s->below_shift);
                *output++ = (uint8_t)(hil_clamp(hil_wrap_add(made, s->out_zero), INT8_MIN, INT8_MAX) & 0xff);
            }
        }
    }
}

#endif
