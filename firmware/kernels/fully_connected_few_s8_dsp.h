/* FULLY_CONNECTED of few outputs, and CONV_2D 1x1 of few channels, int8, for cores with the DSP extension: a row's outputs
 * two at a time, or one output of two rows.
 *
 * Weights: an output after the other, each `in_step` bytes, a multiple of four. The zero point is folded into the bias. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_FEW_S8_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_FEW_S8_DSP_H

#include "scale_s8.h"

#define HIL_FEW_DSP_OUTPUTS 3

typedef struct {
    scale_s8_shape scale;
    int32_t batches, in_n, in_step, out_n; /* 1..HIL_FEW_DSP_OUTPUTS outputs */
} fully_connected_few_s8_dsp_shape;

void fully_connected_few_s8_dsp(const int8_t *input, const int32_t *weights, const int32_t *records, int8_t *output,
                                const fully_connected_few_s8_dsp_shape *s);

#endif
