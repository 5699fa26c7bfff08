/* Any function of one byte: LOGISTIC, RELU, RELU6 and requantization between 8-bit types. Works in place. */
#ifndef HIL_KERNELS_LUT_8_PORTABLE_H
#define HIL_KERNELS_LUT_8_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t count;
} lut_8_portable_shape;

/* table[byte] is the result's byte */
HIL_INLINE void lut_8_portable(const uint8_t *input, const uint8_t *table, uint8_t *output,
                               const lut_8_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        output[i] = table[input[i]];
    }
}

#endif
