/* One row of int16 times int8 weights of all output channels, on Armv8.1-M MVE; rescaled as in scale_s16.h. */
#ifndef HIL_KERNELS_ROW_S16_MVE_H
#define HIL_KERNELS_ROW_S16_MVE_H

#include "row_s16_shape.h"

/* weights: [channels / 4, taps / 8, 4, 8], filled up with zeros; records: [channels / 4] of four biases, four factors */
void row_s16_mve(const int16_t *x, const int8_t *weights, const int32_t *records, int16_t *output,
                 const row_s16_mve_shape *s);

#endif
