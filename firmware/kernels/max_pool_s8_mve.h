/* MAX_POOL_2D, int8, MVE. */
#ifndef HIL_KERNELS_MAX_POOL_S8_MVE_H
#define HIL_KERNELS_MAX_POOL_S8_MVE_H

#include "pool_s8.h"

typedef pool_s8_shape max_pool_s8_mve_shape;

void max_pool_s8_mve(const int8_t *input, int8_t *output, const max_pool_s8_mve_shape *s);

#endif
