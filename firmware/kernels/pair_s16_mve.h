/* Two rows of int16 times int8 weights of all output channels, on Armv8.1-M MVE; rescaled as in scale_s16.h. */
#ifndef HIL_KERNELS_PAIR_S16_MVE_H
#define HIL_KERNELS_PAIR_S16_MVE_H

#include "row_s16_shape.h"

typedef struct {
    row_s16_mve_shape row;
    int32_t x_step, out_step; /* elements from the first row to the second */
} pair_s16_mve_shape;

/* weights and records: row_s16_mve.h */
void pair_s16_mve(const int16_t *x, const int8_t *weights, const int32_t *records, int16_t *output,
                  const pair_s16_mve_shape *s);

#endif
