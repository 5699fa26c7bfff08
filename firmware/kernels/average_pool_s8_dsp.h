/* AVERAGE_POOL_2D, int8: the mean of the elements inside the image, rounded half away from zero; four channels and more. */
#ifndef HIL_KERNELS_AVERAGE_POOL_S8_DSP_H
#define HIL_KERNELS_AVERAGE_POOL_S8_DSP_H

#include "pool_s8.h"

typedef pool_s8_shape average_pool_s8_dsp_shape;

void average_pool_s8_dsp(const int8_t *input, int8_t *output, const average_pool_s8_dsp_shape *s);

#endif
