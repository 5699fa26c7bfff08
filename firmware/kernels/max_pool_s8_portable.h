/* MAX_POOL_2D, int8: the largest of the elements inside the image. */
#ifndef HIL_KERNELS_MAX_POOL_S8_PORTABLE_H
#define HIL_KERNELS_MAX_POOL_S8_PORTABLE_H

#include "pool_s8.h"

typedef pool_s8_shape max_pool_s8_portable_shape;

void max_pool_s8_portable(const int8_t *input, int8_t *output, const max_pool_s8_portable_shape *s);

#endif
