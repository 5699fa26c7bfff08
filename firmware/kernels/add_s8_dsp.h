/* ADD of two int8 tensors of one shape, in assembly. May overwrite an operand. */
#ifndef HIL_KERNELS_ADD_S8_DSP_H
#define HIL_KERNELS_ADD_S8_DSP_H

#include "kernel.h"

typedef struct {
    int32_t count, away, a_multiplier, b_multiplier, offset, rounding;
} add_s8_dsp_shape;

void add_s8_dsp(const int8_t *a, const int8_t *b, int8_t *output, const add_s8_dsp_shape *s);

#endif
