#include "transpose_conv_s8_portable.h"

HIL_SHARED void transpose_conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records,
                                           int8_t *output, const transpose_conv_s8_portable_shape *s)
{
    const int32_t filter = s->kernel_h * s->kernel_w * s->in_c;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            for (int32_t x = 0; x < s->out_w; ++x) {
                for (int32_t c = 0; c < s->out_c; ++c) {
                    const int32_t *r = records + 3 * c;
                    const int32_t sum =
                        transpose_conv_s8_sum(input, weights + c * filter, y + s->top, x + s->left, s);
                    const int32_t scaled = hil_requantize(hil_wrap_add(sum, r[0]), r[1], r[2]);
                    *output++ = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), s->clamp_min, s->clamp_max);
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
