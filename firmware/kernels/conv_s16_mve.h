/* CONV_2D of int16 activations and int8 weights on Armv8.1-M MVE: one pixel and four output channels at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_CONV_S16_MVE_H
#define HIL_KERNELS_CONV_S16_MVE_H

#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t channels; /* of the output */
    int32_t clamp_min, clamp_max;
} conv_s16_mve_shape;

/* weights: [channels, row, column, input channel], filled up with zeros to a multiple of four channels;
 * records: [channels / 4] of four biases, four factors */
void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                  const conv_s16_mve_shape *s);

#endif
