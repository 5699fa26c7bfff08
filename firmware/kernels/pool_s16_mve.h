/* AVERAGE_POOL_2D and MAX_POOL_2D of int16 on Armv8.1-M MVE: four channels of a window at a time. */
#ifndef HIL_KERNELS_POOL_S16_MVE_H
#define HIL_KERNELS_POOL_S16_MVE_H

#include "kernel.h"

typedef struct {
    int32_t batches, in_h, in_w, channels, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int32_t averages; /* else maxima */
    int32_t clamp_min, clamp_max;
} pool_s16_mve_shape;

void pool_s16_mve(const int16_t *input, int16_t *output, const pool_s16_mve_shape *s);

#endif
