/* One output pixel of a MAX_POOL_2D, int8, MVE. */
#ifndef HIL_KERNELS_MAX_POOL_PIXEL_S8_MVE_H
#define HIL_KERNELS_MAX_POOL_PIXEL_S8_MVE_H

#include "kernel.h"

typedef struct {
    int32_t rows, columns; /* 1 and more */
    int32_t column, row;   /* bytes from one to the next */
    int32_t clamp_min, clamp_max;
} max_pool_pixel_s8_mve_window;

/* the largest element of a window for each of `channels` channels */
void max_pool_pixel_s8_mve(const int8_t *x, int8_t *output, int32_t channels,
                           const max_pool_pixel_s8_mve_window *window);

#endif
