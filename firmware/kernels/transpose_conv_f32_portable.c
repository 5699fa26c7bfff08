#include "transpose_conv_f32_portable.h"

HIL_SHARED void transpose_conv_f32_portable(const float *input, const float *weights, const float *bias, float *output,
                                            float low, float high, const transpose_conv_f32_portable_shape *s)
{
    const int32_t filter = s->kernel_h * s->kernel_w * s->in_c;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            for (int32_t x = 0; x < s->out_w; ++x) {
                for (int32_t c = 0; c < s->out_c; ++c) {
                    const float sum = transpose_conv_f32_sum(input, weights + c * filter, y + s->top, x + s->left, s);
                    *output++ = hil_float_clamp(sum + bias[c], low, high);
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
