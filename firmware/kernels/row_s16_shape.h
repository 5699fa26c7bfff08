/* Sizes of a row of int16, and of what is made of it. */
#ifndef HIL_KERNELS_ROW_S16_SHAPE_H
#define HIL_KERNELS_ROW_S16_SHAPE_H

#include "kernel.h"

typedef struct {
    int32_t taps, channels;
    int32_t clamp_min, clamp_max;
} row_s16_mve_shape;

#endif
