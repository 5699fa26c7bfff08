/* DEPTHWISE_CONV_2D of windows up to 13 wide along one dimension, with stride 1 there and not dilated, and up to 13 along the
 * other, int8, channel multiplier 1, MVE. May overwrite its input from the first byte on.
 *
 * One line of outputs along the first, inner, dimension and 16 channels at a time: the rows of its windows are woven into a
 * strip (depthwise_tiles_s8_mve.h).
 *
 * Scratch: 64 bytes for each word; rows of 2 * ceil(out_inner / 8) + 1 words, an even number of rows, of windows up to
 * five wide, of 2 * ceil(out_inner / 8) + 3 words of others. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_TILES_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_TILES_S8_MVE_H

#include "depthwise_quad_s8_mve.h"
#include "depthwise_tiles_s8_mve.h"

typedef struct {
    int32_t batches, channels;
    int32_t in_inner, in_outer, out_inner, out_outer;                     /* sizes */
    int32_t in_inner_step, in_outer_step, out_inner_step, out_outer_step; /* bytes */
    int32_t kernel_inner, kernel_outer, stride_outer, dilation_outer, pad_inner, pad_outer;
    int32_t in_zero, out_zero, clamp_min, clamp_max, general;
} depthwise_conv_tiles_s8_mve_shape;

void depthwise_conv_tiles_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps, int8_t *output,
                                     int8_t *strip, const depthwise_conv_tiles_s8_mve_shape *s,
                                     depthwise_tiles_s8_mve_function *tiles);

HIL_INLINE void depthwise_conv_tiles_s8_mve(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                            int8_t *output, int8_t *strip, const depthwise_conv_tiles_s8_mve_shape *s)
{
    depthwise_conv_tiles_s8_mve_run(input, scale, taps, output, strip, s,
                                    s->general != 0 ? depthwise_tiles_s8_mve_general : depthwise_tiles_s8_mve_saturating);
}

#endif
