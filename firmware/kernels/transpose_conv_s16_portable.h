/* TRANSPOSE_CONV of int16 activations and int8 weights, any shape. */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_S16_PORTABLE_H
#define HIL_KERNELS_TRANSPOSE_CONV_S16_PORTABLE_H

#include "requantize_wide.h"
#include "transpose_conv_portable.h"

typedef struct {
    transpose_conv_portable_shape sizes;
    scale_s16_shape scale;
} transpose_conv_s16_portable_shape;

/* weights: OHWI; biases and factors (multiplier, shift) of each output channel */
void transpose_conv_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases, const int32_t *factors,
                                 int16_t *output, const transpose_conv_s16_portable_shape *s);

#endif
