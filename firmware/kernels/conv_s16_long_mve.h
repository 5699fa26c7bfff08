/* CONV_2D of int16 activations and int8 weights on Armv8.1-M MVE, as conv_s16_mve.h, of any sums and factors. */
#ifndef HIL_KERNELS_CONV_S16_LONG_MVE_H
#define HIL_KERNELS_CONV_S16_LONG_MVE_H

#include "conv_s16_column_mve.h"
#include "requantize_wide.h"

typedef struct {
    conv_s16_column_shape conv;
    scale_s16_shape scale;
} conv_s16_long_mve_shape;

/* weights, biases and factors: row_s16_long_mve.h; column: conv_s16_mve.h */
void conv_s16_long_mve(const int16_t *input, const int8_t *weights, const int64_t *biases, const int32_t *factors,
                       int16_t *column, int16_t *output, const conv_s16_long_mve_shape *s);

#endif
