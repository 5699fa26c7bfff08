/* CONV_2D of int16 activations and int8 weights on Armv8.1-M MVE: one pixel and four output channels at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_CONV_S16_MVE_H
#define HIL_KERNELS_CONV_S16_MVE_H

#include "row_s16_mve.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    row_s16_mve_shape row;
} conv_s16_mve_shape;

/* weights and records: row_s16_mve.h, taps by rows, columns and input channels. column: taps of a pixel, or none where a kernel
 * of one tap is always inside of the image. */
void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column, int16_t *output,
                  const conv_s16_mve_shape *s);

#endif
