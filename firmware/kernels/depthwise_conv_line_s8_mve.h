/* DEPTHWISE_CONV_2D of up to 13 taps along one dimension, stride 1 there, int8, channel multiplier 1, MVE. May
 * overwrite its input from the first byte on.
 *
 * A line of the image along that, inner, dimension is woven into a strip (depthwise_quad_s8_mve.h), 16 channels at a
 * time: a word is four neighbours of a channel.
 *
 * Scratch: 64 bytes for each of 2 * ceil(out_inner / 8) + 3 words. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_LINE_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_LINE_S8_MVE_H

#include "depthwise_quad_s8_mve.h"

typedef struct {
    int32_t batches, channels;
    int32_t in_inner, in_outer, out_inner, out_outer;                     /* sizes */
    int32_t in_inner_step, in_outer_step, out_inner_step, out_outer_step; /* bytes */
    int32_t kernel, stride_outer, pad_inner;
    int32_t in_zero, out_zero, clamp_min, clamp_max, general;
} depthwise_conv_line_s8_mve_shape;

void depthwise_conv_line_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps, int8_t *output,
                                    int8_t *strip, const depthwise_conv_line_s8_mve_shape *s,
                                    depthwise_quad_s8_mve_function *quads);

HIL_INLINE void depthwise_conv_line_s8_mve(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                           int8_t *output, int8_t *strip, const depthwise_conv_line_s8_mve_shape *s)
{
    depthwise_conv_line_s8_mve_run(input, scale, taps, output, strip, s, depthwise_quad_s8_mve_choose_line(s->general));
}

#endif
