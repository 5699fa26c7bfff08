/* DEPTHWISE_CONV_2D of a window up to 4x4, any strides, int8, channel multiplier 1, MVE.
 *
 * One line of outputs along the inner dimension, 16 channels at a time: a strip (depthwise_quad_s8_mve.h) of the up
 * to four input lines that it needs, one product of 16 bytes an output. The compiler says which of rows and columns
 * is which.
 *
 * Scratch: columns = (8 * ceil(out_inner / 8) - 1) * stride_inner + 4 of 4 bytes for each channel, at most 16 of
 * them, and 64 bytes. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_4X4_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_4X4_S8_MVE_H

#include "depthwise_quad_s8_mve.h"

typedef struct {
    int32_t batches, channels;
    int32_t in_inner, in_outer, out_inner, out_outer;                     /* sizes */
    int32_t in_inner_step, in_outer_step, out_inner_step, out_outer_step; /* bytes */
    int32_t kernel_inner, kernel_outer, stride_inner, stride_outer, dilation_outer;
    int32_t pad_inner, pad_outer; /* before the first */
    int32_t in_zero, out_zero, clamp_min, clamp_max, general;
} depthwise_conv_4x4_s8_mve_shape;

void depthwise_conv_4x4_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps, int8_t *output,
                                   int8_t *strip, const depthwise_conv_4x4_s8_mve_shape *s,
                                   depthwise_quad_s8_mve_function *quads);

HIL_INLINE void depthwise_conv_4x4_s8_mve(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                          int8_t *output, int8_t *strip, const depthwise_conv_4x4_s8_mve_shape *s)
{
    const int32_t step = s->stride_inner * 4 * (s->channels < 16 ? s->channels : 16);
    depthwise_conv_4x4_s8_mve_run(input, scale, taps, output, strip, s,
                                  depthwise_quad_s8_mve_choose_one(s->general, step));
}

#endif
