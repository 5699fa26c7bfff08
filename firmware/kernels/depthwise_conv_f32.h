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

/* Where the taps of a window lie that are in the image, in bytes. */
typedef struct {
    int32_t rows, taps;     /* of a row */
    int32_t x_step, w_step; /* from one tap to the next */
    int32_t x_line, w_line; /* from the end of a row's taps to the next row */
} depthwise_f32_taps;

/* sums[k] = x[k] * w[k] + ... over the taps of a window, of which there is one and more */
HIL_INLINE void depthwise_f32_quad(float *sums, const float *x, const float *w, const depthwise_f32_taps *t, int32_t kind)
{
    int32_t rows = t->rows;
#if QUAD_F32_ASM
    int32_t n;
#define DEPTHWISE_F32_WINDOW(sum)                                                                                    \
    __asm__ volatile("vmov s0, s1, %[zero], %[zero]\n\t"                                                             \
                     "vmov s2, s3, %[zero], %[zero]\n\t"                                                             \
                     "1:\n\t"                                                                                        \
                     "mov %[n], %[taps]\n\t"                                                                         \
                     "2:\n\t"                                                                                        \
                     "vldmia %[x], {s16-s19}\n\t"                                                                    \
                     "vldmia %[w], {s20-s23}\n\t"                                                                    \
                     "add %[x], %[x], %[x_step]\n\t"                                                                 \
                     "add %[w], %[w], %[w_step]\n\t"                                                                 \
                     "subs %[n], %[n], #1\n\t" sum "bne 2b\n\t"                                                      \
                     "add %[x], %[x], %[x_line]\n\t"                                                                 \
                     "add %[w], %[w], %[w_line]\n\t"                                                                 \
                     "subs %[rows], %[rows], #1\n\t"                                                                 \
                     "bne 1b\n\t"                                                                                    \
                     "vstmia %[sums], {s0-s3}"                                                                       \
                     : [n] "=&r"(n), [rows] "+r"(rows), [x] "+r"(x), [w] "+r"(w)                                     \
                     : [sums] "r"(sums), [zero] "r"(0), [taps] "r"(t->taps), [x_step] "r"(t->x_step),                \
                       [w_step] "r"(t->w_step), [x_line] "r"(t->x_line), [w_line] "r"(t->w_line)                     \
                     : "s0", "s1", "s2", "s3", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "cc", "memory")
    if (kind == QUAD_F32_CHAINED) {
        DEPTHWISE_F32_WINDOW("vmla.f32 s0, s16, s20\n\tvmla.f32 s1, s17, s21\n\t"
                             "vmla.f32 s2, s18, s22\n\tvmla.f32 s3, s19, s23\n\t");
    } else {
        DEPTHWISE_F32_WINDOW("vmul.f32 s16, s16, s20\n\tvmul.f32 s17, s17, s21\n\t"
                             "vmul.f32 s18, s18, s22\n\tvmul.f32 s19, s19, s23\n\t"
                             "vadd.f32 s0, s0, s16\n\tvadd.f32 s1, s1, s17\n\t"
                             "vadd.f32 s2, s2, s18\n\tvadd.f32 s3, s3, s19\n\t");
    }
#undef DEPTHWISE_F32_WINDOW
#else
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    (void)kind;
    for (; rows > 0; --rows) {
        for (int32_t i = 0; i < t->taps; ++i) {
            a += hil_rounded(x[0] * w[0]);
            b += hil_rounded(x[1] * w[1]);
            c += hil_rounded(x[2] * w[2]);
            d += hil_rounded(x[3] * w[3]);
            x += t->x_step / 4;
            w += t->w_step / 4;
        }
        x += t->x_line / 4;
        w += t->w_line / 4;
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
    const int32_t channels = s->in_c * s->multiplier;
    const float *corner = input + ((iy + first_y * s->dilation_h) * s->in_w + ix + first_x * s->dilation_w) * s->in_c;
    const float *first = weights + (first_y * s->kernel_w + first_x) * channels;
    depthwise_f32_taps taps = {end_y - first_y, end_x - first_x, 4 * s->dilation_w * s->in_c, 4 * channels, 0, 0};
    taps.x_line = 4 * s->dilation_h * s->in_w * s->in_c - taps.taps * taps.x_step;
    taps.w_line = (s->kernel_w - taps.taps) * taps.w_step;
    int32_t channel = 0;
    for (; s->multiplier == 1 && channel + 4 <= channels; channel += 4) {
        float sums[4];
        if (taps.rows > 0 && taps.taps > 0) {
            depthwise_f32_quad(sums, corner + channel, first + channel, &taps, kind);
        } else {
            quad_f32_clear(sums, 4);
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
