/* AVERAGE_POOL_2D, int8: the mean of the elements inside the image, rounded half away from zero. */
#ifndef HIL_KERNELS_AVERAGE_POOL_S8_PORTABLE_H
#define HIL_KERNELS_AVERAGE_POOL_S8_PORTABLE_H

#include "pool_s8.h"

typedef pool_s8_shape average_pool_s8_portable_shape;

void average_pool_s8_portable(const int8_t *input, int8_t *output, const average_pool_s8_portable_shape *s);

#endif
