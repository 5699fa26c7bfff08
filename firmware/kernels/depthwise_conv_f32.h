/* DEPTHWISE_CONV_2D, float32, any shape: four channels at a time where each has one output, each summed by rows and columns
 * of the kernel, the bias at the end. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_F32_H
#define HIL_KERNELS_DEPTHWISE_CONV_F32_H

#include "quad_f32.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t multiplier; /* output channels of an input channel */
} depthwise_conv_f32_shape;

/* sums[k] += x[k] * w[k] for n taps of a row, which lie x_step and w_step bytes apart */
HIL_INLINE void depthwise_f32_row(float *sums, const float *x, const float *w, int32_t n, int32_t x_step, int32_t w_step,
                                  int32_t kind)
{
#if QUAD_F32_ASM
#define DEPTHWISE_F32_ROW(sum)                                                                                       \
    __asm__ volatile("vldmia %[sums], {s0-s3}\n\t"                                                                  \
                     "1:\n\t"                                                                                        \
                     "vldmia %[x], {s16-s19}\n\t"                                                                    \
                     "vldmia %[w], {s20-s23}\n\t"                                                                    \
                     "add %[x], %[x], %[x_step]\n\t"                                                                 \
                     "add %[w], %[w], %[w_step]\n\t"                                                                 \
                     "subs %[n], %[n], #1\n\t" sum "bne 1b\n\t"                                                      \
                     "vstmia %[sums], {s0-s3}"                                                                       \
                     : [n] "+r"(n), [x] "+r"(x), [w] "+r"(w)                                                         \
                     : [sums] "r"(sums), [x_step] "r"(x_step), [w_step] "r"(w_step)                                  \
                     : "s0", "s1", "s2", "s3", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "cc", "memory")
    if (kind == QUAD_F32_CHAINED) {
        DEPTHWISE_F32_ROW("vmla.f32 s0, s16, s20\n\tvmla.f32 s1, s17, s21\n\t"
                          "vmla.f32 s2, s18, s22\n\tvmla.f32 s3, s19, s23\n\t");
    } else {
        DEPTHWISE_F32_ROW("vmul.f32 s16, s16, s20\n\tvmul.f32 s17, s17, s21\n\t"
                          "vmul.f32 s18, s18, s22\n\tvmul.f32 s19, s19, s23\n\t"
                          "vadd.f32 s0, s0, s16\n\tvadd.f32 s1, s1, s17\n\t"
                          "vadd.f32 s2, s2, s18\n\tvadd.f32 s3, s3, s19\n\t");
    }
#undef DEPTHWISE_F32_ROW
#else
    float a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    (void)kind;
    for (int32_t i = 0; i < n; ++i) {
        const float *at = x + i * (x_step / 4), *by = w + i * (w_step / 4);
        a += hil_rounded(at[0] * by[0]);
        b += hil_rounded(at[1] * by[1]);
        c += hil_rounded(at[2] * by[2]);
        d += hil_rounded(at[3] * by[3]);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
#endif
}

/* One pixel. */
HIL_INLINE void depthwise_f32_pixel(const float *input, const float *weights, const float *bias, float *output, float low,
                                    float high, int32_t iy, int32_t ix, int32_t kind, const depthwise_conv_f32_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    const int32_t channels = s->in_c * s->multiplier, taps = end_x - first_x;
    const float *corner = input + ((iy + first_y * s->dilation_h) * s->in_w + ix + first_x * s->dilation_w) * s->in_c;
    const float *first = weights + (first_y * s->kernel_w + first_x) * channels;
    int32_t channel = 0;
    for (; s->multiplier == 1 && channel + 4 <= channels; channel += 4) {
        const float *x = corner + channel, *w = first + channel;
        float sums[4];
        quad_f32_clear(sums, 4);
        for (int32_t ky = first_y; taps > 0 && ky < end_y; ++ky) {
            depthwise_f32_row(sums, x, w, taps, 4 * s->dilation_w * s->in_c, 4 * channels, kind);
            x += s->dilation_h * s->in_w * s->in_c;
            w += s->kernel_w * channels;
        }
        quad_f32_store(output + channel, sums, bias + channel, 4, low, high);
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

/* weights: [row, column, output channel]; bias: [output channel] */
HIL_INLINE void depthwise_conv_f32(const float *input, const float *weights, const float *bias, float *output, float low,
                                   float high, int32_t kind, const depthwise_conv_f32_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                depthwise_f32_pixel(input, weights, bias, output, low, high, iy, ix, kind, s);
                output += s->in_c * s->multiplier;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}

#endif
