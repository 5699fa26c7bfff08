/* Two operands of quantized numbers, int8 or int16, with broadcasting: those of which the int8 kernels have none of their own.
 * Type and operation are literals, of which the compiler keeps one. */
#ifndef HIL_KERNELS_SCALED_BINARY_PORTABLE_H
#define HIL_KERNELS_SCALED_BINARY_PORTABLE_H

#include "convert.h"
#include "nest.h"
#include "plain_binary_portable.h"
#include "requantize.h"

typedef struct {
    hil_nest nest;
    int32_t type;      /* HIL_S8 or HIL_S16 */
    int32_t operation; /* HIL_PLAIN_ADD, ...: as for numbers without a scale */
    int32_t a_zero, a_multiplier, a_shift;
    int32_t b_zero, b_multiplier, b_shift;
    int32_t left_shift;
    int32_t out_zero, out_multiplier, out_shift, clamp_min, clamp_max;
} scaled_binary_portable_shape;

HIL_INLINE int32_t hil_scaled_one(int32_t a, int32_t b, const scaled_binary_portable_shape *s)
{
    if (s->operation == HIL_PLAIN_MUL) {
        return hil_requantize(a * b, s->out_multiplier, s->out_shift);
    }
    const int32_t x = hil_requantize((int32_t)((uint32_t)a << s->left_shift), s->a_multiplier, s->a_shift);
    const int32_t y = hil_requantize((int32_t)((uint32_t)b << s->left_shift), s->b_multiplier, s->b_shift);
    if (hil_plain_asks(s->operation)) {
        return hil_plain_answer(x < y, x == y, x > y, s->operation);
    }
    const int32_t sum = s->operation == HIL_PLAIN_ADD ? x + y : x - y;
    const int32_t raw = s->operation == HIL_PLAIN_SQUARED_DIFFERENCE ? sum * sum : sum;
    return hil_requantize(raw, s->out_multiplier, s->out_shift);
}

HIL_INLINE void scaled_binary_portable(const uint8_t *a, const uint8_t *b, uint8_t *output,
                                       const scaled_binary_portable_shape *s)
{
    int32_t at = 0;
    HIL_NEST_FOR(s->nest) {
        const int32_t x = hil_i0 * s->nest.a0 + hil_i1 * s->nest.a1 + hil_i2 * s->nest.a2 + hil_i3 * s->nest.a3;
        const int32_t y = hil_i0 * s->nest.b0 + hil_i1 * s->nest.b1 + hil_i2 * s->nest.b2 + hil_i3 * s->nest.b3;
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const int32_t left = hil_load(a, x + i * s->nest.a4, s->type) - s->a_zero;
            const int32_t right = hil_load(b, y + i * s->nest.b4, s->type) - s->b_zero;
            const int32_t made = hil_scaled_one(left, right, s);
            if (hil_plain_asks(s->operation)) {
                output[at] = (uint8_t)made;
            } else {
                hil_store(output, at, s->type, hil_clamp(hil_wrap_add(made, s->out_zero), s->clamp_min, s->clamp_max));
            }
            ++at;
        }
    }
}

#endif
