/* One row of int16 times int8 weights of all output channels, on Armv8.1-M MVE, of any sums and factors. */
#ifndef HIL_KERNELS_ROW_S16_LONG_MVE_H
#define HIL_KERNELS_ROW_S16_LONG_MVE_H

#include "dot_s16_long_mve.h"
#include "quad_s16.h"
#include "row_s16_shape.h"

/* weights: row_s16_mve.h; biases, and multipliers and shifts in turn, filled up to four */
HIL_INLINE void row_s16_long_mve(const int16_t *x, const int8_t *weights, const int64_t *biases, const int32_t *factors,
                                 int16_t *output, const row_s16_mve_shape *row, const scale_s16_shape *scale)
{
    const int32_t step = (row->taps + 7) / 8 * 32;
    for (int32_t left = row->channels; left > 0; left -= 4) {
        int64_t sums[4];
        dot_s16_long_mve(sums, x, weights, row->taps);
        output = quad_s16_store(output, sums, biases, factors, left < 4 ? left : 4, scale);
        weights += step;
        biases += 4;
        factors += 8;
    }
}

#endif
