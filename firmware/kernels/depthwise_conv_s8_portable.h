/* DEPTHWISE_CONV_2D, int8: any channel multiplier, kernel, stride, dilation and padding. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S8_PORTABLE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S8_PORTABLE_H

#include "depthwise_channel_s8.h"

typedef depthwise_s8_shape depthwise_conv_s8_portable_shape;

HIL_INLINE void depthwise_conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *bias,
                                           const int32_t *multiplier, const int8_t *shift, int8_t *output,
                                           const depthwise_conv_s8_portable_shape *s)
{
    const int32_t out_c = s->in_c * s->multiplier;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oc = 0; oc < out_c; ++oc) {
            depthwise_channel_s8(s, input + oc / s->multiplier, s->in_c, weights + oc, bias[oc], multiplier[oc], shift[oc],
                                 output + oc, out_c);
        }
        input += s->in_h * s->in_w * s->in_c;
        output += s->out_h * s->out_w * out_c;
    }
}

#endif
