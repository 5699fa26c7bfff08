#include "depthwise_conv_f32_portable.h"

/* One pixel: four channels at a time where each has one output, so that their sums wait for each other less. */
HIL_INLINE void depthwise_f32_pixel(const float *input, const float *weights, const float *bias, float *output, float low,
                                    float high, int32_t iy, int32_t ix, const depthwise_conv_f32_portable_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    const int32_t channels = s->in_c * s->multiplier;
    int32_t channel = 0;
    for (; s->multiplier == 1 && channel + 4 <= channels; channel += 4) {
        float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
        for (int32_t ky = first_y; ky < end_y; ++ky) {
            for (int32_t kx = first_x; kx < end_x; ++kx) {
                const float *x =
                    input + ((iy + ky * s->dilation_h) * s->in_w + ix + kx * s->dilation_w) * s->in_c + channel;
                const float *w = weights + (ky * s->kernel_w + kx) * channels + channel;
                a += hil_rounded(x[0] * w[0]);
                b += hil_rounded(x[1] * w[1]);
                c += hil_rounded(x[2] * w[2]);
                d += hil_rounded(x[3] * w[3]);
            }
        }
        output[channel] = hil_float_clamp(a + bias[channel], low, high);
        output[channel + 1] = hil_float_clamp(b + bias[channel + 1], low, high);
        output[channel + 2] = hil_float_clamp(c + bias[channel + 2], low, high);
        output[channel + 3] = hil_float_clamp(d + bias[channel + 3], low, high);
    }
    for (; channel < channels; ++channel) {
        const float *x = input + channel / s->multiplier;
        float sum = 0.0f;
        for (int32_t ky = first_y; ky < end_y; ++ky) {
            for (int32_t kx = first_x; kx < end_x; ++kx) {
                const int32_t pixel = (iy + ky * s->dilation_h) * s->in_w + ix + kx * s->dilation_w;
                sum += hil_rounded(x[pixel * s->in_c] * weights[(ky * s->kernel_w + kx) * channels + channel]);
            }
        }
        output[channel] = hil_float_clamp(sum + bias[channel], low, high);
    }
}

HIL_SHARED void depthwise_conv_f32_portable(const float *input, const float *weights, const float *bias, float *output,
                                            float low, float high, const depthwise_conv_f32_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                depthwise_f32_pixel(input, weights, bias, output, low, high, iy, ix, s);
                output += s->in_c * s->multiplier;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
