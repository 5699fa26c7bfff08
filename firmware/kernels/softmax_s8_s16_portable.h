/* SOFTMAX over the last dimension, int8 to int16; see softmax_s8_portable.h. */
#ifndef HIL_KERNELS_SOFTMAX_S8_S16_PORTABLE_H
#define HIL_KERNELS_SOFTMAX_S8_S16_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, depth, table_size;
} softmax_s8_s16_portable_shape;

void softmax_s8_s16_portable(const int8_t *input, const int32_t *exp_table, int16_t *output,
                             const softmax_s8_s16_portable_shape *s);

#endif
