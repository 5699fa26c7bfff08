/* Shape of the 3x3 depthwise kernels in assembly; depthwise_3x3_asm.h says what its fields mean. */
#ifndef HIL_KERNELS_DEPTHWISE_3X3_S8_H
#define HIL_KERNELS_DEPTHWISE_3X3_S8_H

#include "kernel.h"

typedef struct {
    int32_t in_u, in_v, lines, pad_v, quads, lead, tail, first, pairs, zero, channels, step;
    int32_t strips, odd_v, run, odd_u, out_u, out_v;
} depthwise_3x3_s8_shape;

#endif
