/* MEAN, int8, over dimensions that follow one another, with four or more elements behind them (such as channels). */
#ifndef HIL_KERNELS_MEAN_S8_DSP_H
#define HIL_KERNELS_MEAN_S8_DSP_H

#include "kernel.h"

typedef struct {
    int32_t outer, count, inner;
    int32_t zero_sum; /* input zero point times count */
    int32_t multiplier, shift, out_zero;
} mean_s8_dsp_shape;

void mean_s8_dsp(const int8_t *input, int8_t *output, const mean_s8_dsp_shape *s);

#endif
