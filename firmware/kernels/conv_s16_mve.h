/* CONV_2D of int16 activations and int8 weights on Armv8.1-M MVE: two pixels and four output channels at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_CONV_S16_MVE_H
#define HIL_KERNELS_CONV_S16_MVE_H

#include "conv_s16_column_mve.h"
#include "row_s16_mve.h"

typedef conv_s16_column_shape conv_s16_mve_shape;

/* weights and records: row_s16_mve.h, of a group after the other, taps by rows, columns and input channels. column: taps of
 * two pixels and a group, or none where a kernel of one tap is always inside of the image. */
void conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *column, int16_t *output,
                  const conv_s16_mve_shape *s);

#endif
