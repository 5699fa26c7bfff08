/* DEPTHWISE_CONV_2D, float32, of one output for each of four and more input channels, in vectors of MVE where those are exact
 * (quad_f32_mve.h): four pixels of a row, whose windows have the same taps in the image, or one, by four channels.
 *
 * weights: [channels / 4, row, column, 4]; where channels are no multiple of 4, the last four begin with some of those before,
 * which are computed again. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_F32_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_F32_MVE_H

#include "depthwise_conv_f32.h"

typedef depthwise_conv_f32_shape depthwise_conv_f32_mve_shape;

void depthwise_conv_f32_mve(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                            const depthwise_conv_f32_mve_shape *s);

#endif
