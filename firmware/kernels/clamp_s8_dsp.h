/* Clamps int8 outputs in place: for kernels that only saturate. */
#ifndef HIL_KERNELS_CLAMP_S8_DSP_H
#define HIL_KERNELS_CLAMP_S8_DSP_H

#include "kernel.h"

typedef struct {
    int32_t count;
    int32_t clamp_min, clamp_max;
} clamp_s8_dsp_shape;

void clamp_s8_dsp(int8_t *data, const clamp_s8_dsp_shape *s);

#endif
