/* DEPTHWISE_CONV_2D, int8, multiplier 1, one batch, in place: the output may start at the input's first byte.
 *
 * A channel is copied into a plane of in_h * in_w bytes of scratch and computed from there. Its results land on bytes of
 * the same channel only (byte address modulo in_c is the channel), and never past the input, so no other channel's
 * input is lost before it has been copied. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S8_INPLACE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S8_INPLACE_H

#include "depthwise_channel_s8.h"

typedef depthwise_s8_shape depthwise_conv_s8_inplace_shape;

HIL_INLINE void depthwise_conv_s8_inplace(const int8_t *input, const int8_t *weights, const int32_t *bias,
                                          const int32_t *multiplier, const int8_t *shift, int8_t *output, int8_t *plane,
                                          const depthwise_conv_s8_inplace_shape *s)
{
    for (int32_t c = 0; c < s->in_c; ++c) {
        for (int32_t i = 0; i < s->in_h * s->in_w; ++i) {
            plane[i] = input[i * s->in_c + c];
        }
        depthwise_channel_s8(s, plane, 1, weights + c, bias[c], multiplier[c], shift[c], output + c, s->in_c);
    }
}

#endif
