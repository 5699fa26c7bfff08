/* Fully connected layers by inner kernels of one pixel (gemm_dsp.h): each row of inputs is widened once. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_DSP_H

#include "gemm_dsp.h"
#include "im2col_single_dsp.h"

typedef struct {
    int32_t batches, in_n;
    int32_t groups, channels, offset, clamped, low, high; /* gemm_dsp_shape */
} fully_connected_dsp_shape;

HIL_INLINE void fully_connected_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int16_t *scratch,
                                    const fully_connected_dsp_shape *s, gemm_4x1 *single)
{
    const im2col_dsp_runs runs = {1, s->in_n / 4, s->in_n % 4, 0, 0, 0};
    const gemm_dsp_shape shape = {s->groups, s->channels, s->offset, s->clamped, s->low, s->high};
    /* 12 bytes behind the columns, which loads that run ahead touch: nothing is read that was never written */
    int16_t *beyond = scratch + 4 * s->groups;
    for (int32_t i = 0; i < 6; ++i) {
        beyond[i] = 0;
    }
    for (int32_t n = 0; n < s->batches; ++n) {
        im2col_single_dsp(scratch, input + n * s->in_n, &runs);
        single(weights, scratch, output + n * s->channels, &shape);
    }
}

#endif
