/* MEAN, int8, MVE, over dimensions in front of the last one: up to two kept runs, each a window of rows and columns
 * of channels. */
#ifndef HIL_KERNELS_MEAN_S8_MVE_H
#define HIL_KERNELS_MEAN_S8_MVE_H

#include "requantize_mve.h"
#include "window_sums_s8_mve.h"

typedef struct {
    int32_t kept0, kept1, kept_step0, kept_step1, channels;
    int32_t rows, columns, row, column;
    int32_t zero_sum; /* input zero point times the number of elements summed */
    int32_t multiplier, shift, out_zero;
} mean_s8_mve_shape;

void mean_s8_mve(const int8_t *input, int8_t *output, const mean_s8_mve_shape *s);

#endif
