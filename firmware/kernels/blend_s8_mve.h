/* Four rows of int8, weighed and added: a pixel of RESIZE_BILINEAR, MVE. */
#ifndef HIL_KERNELS_BLEND_S8_MVE_H
#define HIL_KERNELS_BLEND_S8_MVE_H

#include "kernel.h"

/* The weights are 2^20 in all; results are rounded to the nearest, halves away from zero. */
typedef struct {
    const int8_t *rows[4];
    int32_t weights[4];
} blend_s8_mve_pixel;

void blend_s8_mve(const blend_s8_mve_pixel *pixel, uint8_t *output, int32_t count);

#endif
