/* Any function of one byte, MVE: 16 look-ups an instruction. Works in place. */
#ifndef HIL_KERNELS_LUT_8_MVE_H
#define HIL_KERNELS_LUT_8_MVE_H

#include "kernel.h"

typedef struct {
    int32_t count;
} lut_8_mve_shape;

/* table[byte] is the result's byte */
void lut_8_mve(const uint8_t *input, const uint8_t *table, uint8_t *output, const lut_8_mve_shape *s);

#endif
