/* TRANSPOSE_CONV of int16 activations and int8 weights on Armv8.1-M MVE, by phases: outputs that are a stride apart are a
 * convolution of stride 1 with every stride-th tap of the kernel, in turn from the last to the first.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_S16_MVE_H
#define HIL_KERNELS_TRANSPOSE_CONV_S16_MVE_H

#include "conv_s16_column_mve.h"
#include "row_s16_mve.h"

/* pad_top and pad_left: rows and columns left out of the output; dilation 1, one group; row.taps is not used */
typedef conv_s16_column_shape transpose_conv_s16_mve_shape;

/* weights and records: row_s16_mve.h, by phases: those of row y and column x, modulo the strides, begin at
 * offsets[y * stride_w + x]. column: taps of the first phase. */
void transpose_conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *offsets, const int32_t *records,
                            int16_t *column, int16_t *output, const transpose_conv_s16_mve_shape *s);

#endif
