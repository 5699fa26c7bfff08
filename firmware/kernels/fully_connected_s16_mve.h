/* FULLY_CONNECTED of int16 activations and int8 weights on Armv8.1-M MVE: four outputs of two rows at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S16_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_S16_MVE_H

#include "pair_s16_mve.h"
#include "row_s16_mve.h"

typedef struct {
    int32_t rows;
    row_s16_mve_shape row;
} fully_connected_s16_mve_shape;

/* weights and records: row_s16_mve.h */
HIL_INLINE void fully_connected_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                                        const fully_connected_s16_mve_shape *s)
{
    const pair_s16_mve_shape pair = {s->row, s->row.taps, s->row.channels};
    for (int32_t row = 0; row + 1 < s->rows; row += 2) {
        pair_s16_mve(input + row * s->row.taps, weights, records, output + row * s->row.channels, &pair);
    }
    if ((s->rows & 1) != 0) {
        const int32_t last = s->rows - 1;
        row_s16_mve(input + last * s->row.taps, weights, records, output + last * s->row.channels, &s->row);
    }
}

#endif
