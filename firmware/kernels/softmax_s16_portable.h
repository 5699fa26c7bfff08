/* SOFTMAX of int16 over the last dimension, by interpolated tables of 513 points (harness/quantization/softmax16.py). */
#ifndef HIL_KERNELS_SOFTMAX_S16_PORTABLE_H
#define HIL_KERNELS_SOFTMAX_S16_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, depth;
    int32_t multiplier, shift; /* of differences to the maximum, to steps of 10 / 65535 */
} softmax_s16_portable_shape;

/* The output holds the exponentials until their sum is known. */
void softmax_s16_portable(const int16_t *input, const int16_t *exp_table, const int16_t *reciprocal_table, int16_t *output,
                          const softmax_s16_portable_shape *s);

#endif
