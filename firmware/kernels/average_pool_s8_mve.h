/* AVERAGE_POOL_2D, int8, MVE: the mean of the elements inside the image, rounded half away from zero. */
#ifndef HIL_KERNELS_AVERAGE_POOL_S8_MVE_H
#define HIL_KERNELS_AVERAGE_POOL_S8_MVE_H

#include "pool_s8.h"
#include "requantize_mve.h"
#include "window_sums_s8_mve.h"

typedef pool_s8_shape average_pool_s8_mve_shape;

void average_pool_s8_mve(const int8_t *input, int8_t *output, const average_pool_s8_mve_shape *s);

#endif
