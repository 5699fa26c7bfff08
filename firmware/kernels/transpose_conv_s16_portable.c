#include "transpose_conv_s16_portable.h"

HIL_INLINE int64_t transpose_conv_s16_sum(const int16_t *input, const int8_t *weights, int32_t y, int32_t x,
                                          const transpose_conv_portable_shape *s)
{
    int64_t sum = 0;
    const int32_t end_y = hil_end_source(y, s->stride_h, s->in_h), end_x = hil_end_source(x, s->stride_w, s->in_w);
    for (int32_t iy = hil_first_source(y, s->kernel_h, s->stride_h); iy < end_y; ++iy) {
        for (int32_t ix = hil_first_source(x, s->kernel_w, s->stride_w); ix < end_x; ++ix) {
            const int16_t *a = input + (iy * s->in_w + ix) * s->in_c;
            const int8_t *w = weights + ((y - iy * s->stride_h) * s->kernel_w + x - ix * s->stride_w) * s->in_c;
            for (int32_t i = 0; i < s->in_c; ++i) {
                sum += a[i] * w[i];
            }
        }
    }
    return sum;
}

HIL_SHARED void transpose_conv_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                            const int32_t *factors, int16_t *output,
                                            const transpose_conv_s16_portable_shape *s)
{
    const transpose_conv_portable_shape *z = &s->sizes;
    const int32_t filter = z->kernel_h * z->kernel_w * z->in_c;
    for (int32_t n = 0; n < z->batches; ++n) {
        for (int32_t y = 0; y < z->out_h; ++y) {
            for (int32_t x = 0; x < z->out_w; ++x) {
                for (int32_t c = 0; c < z->out_c; ++c) {
                    const int64_t sum = transpose_conv_s16_sum(input, weights + c * filter, y + z->top, x + z->left, z);
                    *output++ = hil_scale_s16(sum, biases[c], factors + 2 * c, &s->scale);
                }
            }
        }
        input += z->in_h * z->in_w * z->in_c;
    }
}
