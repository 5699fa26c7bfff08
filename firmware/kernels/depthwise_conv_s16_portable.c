#include "depthwise_conv_s16_portable.h"

#include "quad_s16.h"

/* One output: by rows in 32 bits, as kernels have few columns, the rows in 64. */
HIL_INLINE int64_t depthwise_s16_sum(const int16_t *input, const int8_t *weights, int32_t iy, int32_t ix,
                                     const depthwise_conv_s16_portable_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    const int32_t channels = s->in_c * s->multiplier;
    int64_t sum = 0;
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        const int16_t *x = input + ((iy + ky * s->dilation_h) * s->in_w + ix) * s->in_c;
        const int8_t *w = weights + ky * s->kernel_w * channels;
        int32_t line = 0;
        for (int32_t kx = first_x; kx < end_x; ++kx) {
            line += x[kx * s->dilation_w * s->in_c] * w[kx * channels];
            if ((kx & 255) == 255) {
                sum += line;
                line = 0;
            }
        }
        sum += line;
    }
    return sum;
}

/* Four channels of one filter each, whose sums fit 32 bits. */
HIL_INLINE void depthwise_s16_four(int64_t *sums, const int16_t *input, const int8_t *weights, int32_t iy, int32_t ix,
                                   const depthwise_conv_s16_portable_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        const int16_t *x = input + ((iy + ky * s->dilation_h) * s->in_w + ix + first_x * s->dilation_w) * s->in_c;
        const int8_t *w = weights + (ky * s->kernel_w + first_x) * s->in_c;
        for (int32_t kx = first_x; kx < end_x; ++kx) {
            a += x[0] * w[0];
            b += x[1] * w[1];
            c += x[2] * w[2];
            d += x[3] * w[3];
            x += s->dilation_w * s->in_c;
            w += s->in_c;
        }
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

HIL_SHARED void depthwise_conv_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                            const int32_t *factors, int16_t *output,
                                            const depthwise_conv_s16_portable_shape *s)
{
    const int32_t channels = s->in_c * s->multiplier;
    const int32_t fours = s->multiplier == 1 && s->kernel_h * s->kernel_w <= HIL_S16_RUN ? channels : 0;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                int32_t c = 0;
                for (; c + 4 <= fours; c += 4) {
                    int64_t sums[4];
                    depthwise_s16_four(sums, input + c, weights + c, iy, ix, s);
                    output = quad_s16_store(output, sums, biases + c, factors + 2 * c, 4, &s->scale);
                }
                for (; c < channels; ++c) {
                    const int64_t sum = depthwise_s16_sum(input + c / s->multiplier, weights + c, iy, ix, s);
                    *output++ = hil_scale_s16(sum, biases[c], factors + 2 * c, &s->scale);
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
