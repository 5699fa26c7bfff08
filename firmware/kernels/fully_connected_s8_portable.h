/* FULLY_CONNECTED, int8. The input's zero point is folded into the bias. Four outputs at a time. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t batches, in_n, out_n, out_zero, clamp_min, clamp_max;
} fully_connected_s8_portable_shape;

HIL_INLINE void fully_connected_s8_portable_rows(const fully_connected_s8_portable_shape *s, const int8_t *x,
                                                 const int8_t *w, const int32_t *bias, const int32_t *multiplier,
                                                 const int8_t *shift, int8_t *y, int32_t rows)
{
    uint32_t acc[4];
    for (int32_t r = 0; r < rows; ++r) {
        acc[r] = (uint32_t)bias[r];
    }
    for (int32_t i = 0; i < s->in_n; ++i) {
        const int32_t value = x[i];
        for (int32_t r = 0; r < rows; ++r) {
            acc[r] += (uint32_t)(value * w[r * s->in_n + i]);
        }
    }
    for (int32_t r = 0; r < rows; ++r) {
        const int32_t scaled = hil_requantize((int32_t)acc[r], multiplier[r], shift[r]);
        y[r] = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), s->clamp_min, s->clamp_max);
    }
}

HIL_INLINE void fully_connected_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *bias,
                                            const int32_t *multiplier, const int8_t *shift, int8_t *output,
                                            const fully_connected_s8_portable_shape *s)
{
    const int32_t blocked = s->out_n - s->out_n % 4;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t o = 0; o < blocked; o += 4) {
            fully_connected_s8_portable_rows(s, input, weights + o * s->in_n, bias + o, multiplier + o, shift + o,
                                             output + o, 4);
        }
        for (int32_t o = blocked; o < s->out_n; ++o) {
            fully_connected_s8_portable_rows(s, input, weights + o * s->in_n, bias + o, multiplier + o, shift + o,
                                             output + o, 1);
        }
        input += s->in_n;
        output += s->out_n;
    }
}

#endif
