/* CONV_2D of int16 activations and int8 weights with the DSP extension, as conv_s16_dsp.h, for any sums and factors: those of
 * HIL_S16_TAPS taps are added in 64 bits. */
#ifndef HIL_KERNELS_CONV_S16_LONG_DSP_H
#define HIL_KERNELS_CONV_S16_LONG_DSP_H

#include "conv_s16_columns.h"
#include "quad_s16.h"

typedef struct {
    conv_s16_columns_shape conv;
    scale_s16_shape scale;
} conv_s16_long_dsp_shape;

/* weights and columns: conv_s16_dsp.h; biases, and multipliers and shifts in turn, filled up to an even number of channels */
void conv_s16_long_dsp(const int16_t *input, const int32_t *weights, const int64_t *biases, const int32_t *factors,
                       int16_t *columns, int16_t *output, const conv_s16_long_dsp_shape *s);

#endif
