#include "transpose_conv_s8_onnx_portable.h"

HIL_SHARED void transpose_conv_s8_onnx_portable(const int8_t *input, const int8_t *weights, const int32_t *records,
                                                int8_t *output, const transpose_conv_s8_onnx_portable_shape *s)
{
    const int32_t filter = s->kernel_h * s->kernel_w * s->in_c;
    const float low = hil_float_of(s->clamp_min - s->out_zero);
    const float high = hil_float_of(s->clamp_max - s->out_zero);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            for (int32_t x = 0; x < s->out_w; ++x) {
                for (int32_t c = 0; c < s->out_c; ++c) {
                    const int32_t *r = records + 2 * c;
                    const int32_t sum =
                        transpose_conv_s8_sum(input, weights + c * filter, y + s->top, x + s->left, s);
                    const float scaled = hil_rounded(hil_float_of(hil_wrap_add(sum, r[0])) * hil_bits_float(r[1]));
                    *output++ = (int8_t)(hil_nearest_even(hil_float_clamp(scaled, low, high)) + s->out_zero);
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
