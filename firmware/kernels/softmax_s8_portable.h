/* SOFTMAX over the last dimension, int8 to int8, in place if need be.
 *
 * exp() of the distance to the row's maximum comes from a table of Q0.31 numbers that the compiler computed; what lies
 * beyond the table is 0. The reciprocal of the sum takes three Newton-Raphson steps in fixed point (gemmlowp's method). */
#ifndef HIL_KERNELS_SOFTMAX_S8_PORTABLE_H
#define HIL_KERNELS_SOFTMAX_S8_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, depth, table_size;
} softmax_s8_portable_shape;

/* exp_table has a zero at its end, table_size, for every distance beyond it */
void softmax_s8_portable(const int8_t *input, const int32_t *exp_table, int8_t *output,
                         const softmax_s8_portable_shape *s);

#endif
