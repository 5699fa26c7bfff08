/* FULLY_CONNECTED, int8. The input's zero point is folded into the bias. Four outputs at a time. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_PORTABLE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_PORTABLE_H

#include "dot_s8.h"

typedef struct {
    int32_t batches, in_n, out_n, out_zero, clamp_min, clamp_max;
} fully_connected_s8_portable_shape;

HIL_INLINE void fully_connected_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *bias,
                                            const int32_t *multiplier, const int8_t *shift, int8_t *output,
                                            const fully_connected_s8_portable_shape *s)
{
    const int32_t blocked = s->out_n - s->out_n % 4;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t o = 0; o < blocked; o += 4) {
            dot_s8_sums sums = dot_s8_start(bias + o, 4);
            dot_s8_quad(&sums, input, weights + o * s->in_n, s->in_n, s->in_n, 0);
            dot_s8_finish(&sums, 4, multiplier + o, shift + o, output + o, s->out_zero, s->clamp_min, s->clamp_max);
        }
        for (int32_t o = blocked; o < s->out_n; ++o) {
            dot_s8_sums sums = dot_s8_start(bias + o, 1);
            dot_s8_single(&sums, input, weights + o * s->in_n, s->in_n, 0);
            dot_s8_finish(&sums, 1, multiplier + o, shift + o, output + o, s->out_zero, s->clamp_min, s->clamp_max);
        }
        input += s->in_n;
        output += s->out_n;
    }
}

#endif
