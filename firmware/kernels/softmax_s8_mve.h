/* SOFTMAX over the last dimension, int8 to int8, MVE, in place if need be: as softmax_s8_portable, four elements at a
 * time. */
#ifndef HIL_KERNELS_SOFTMAX_S8_MVE_H
#define HIL_KERNELS_SOFTMAX_S8_MVE_H

#include "kernel.h"

typedef struct {
    int32_t rows, depth, table_size;
} softmax_s8_mve_shape;

/* exp_table has a zero at its end, table_size, for every distance beyond it */
void softmax_s8_mve(const int8_t *input, const int32_t *exp_table, int8_t *output, const softmax_s8_mve_shape *s);

#endif
