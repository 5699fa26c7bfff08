#include "depthwise_conv_f32_portable.h"

HIL_SHARED void depthwise_conv_f32_portable(const float *input, const float *weights, const float *bias, float *output, float low,
                                            float high, const depthwise_conv_f32_portable_shape *s)
{
    depthwise_conv_f32(input, weights, bias, output, low, high, QUAD_F32_APART, s);
}
