#include "depthwise_conv_s16_dsp.h"

#include "scale_s16.h"

/* One tap of four channels; moves x on by `step` bytes */
#define DEPTHWISE_S16_TAP                                                                                                       \
    "ldr %[w], [%[weights]], #4\n\t"                                                                                           \
    "ldrd %[low], %[high], [%[x]]\n\t"                                                                                         \
    "add %[x], %[x], %[step]\n\t"                                                                                              \
    "sxtb16 %[pair], %[w]\n\t"                                                                                                 \
    "sxtb16 %[w], %[w], ror #8\n\t"                                                                                            \
    "smlabb %[a], %[low], %[pair], %[a]\n\t"                                                                                   \
    "smlatt %[b], %[low], %[pair], %[b]\n\t"                                                                                   \
    "smlabb %[c], %[high], %[w], %[c]\n\t"                                                                                     \
    "smlatt %[d], %[high], %[w], %[d]\n\t"

typedef struct {
    int32_t first_y, end_y, first_x, end_x; /* taps inside of the image */
    int32_t start, line, step;              /* elements from the image to the first of them, bytes between them */
} depthwise_s16_window;

HIL_INLINE void depthwise_s16_sums(int32_t *sums, const int32_t *biases, const int16_t *input, const int32_t *weights,
                                   int32_t kernel_w, const depthwise_s16_window *t)
{
    int32_t a = biases[0], b = biases[1], c = biases[2], d = biases[3];
    const uint8_t *row = (const uint8_t *)(input + t->start);
    const int32_t columns = t->end_x - t->first_x;
    for (int32_t ky = t->first_y; ky < t->end_y; ++ky) {
        const uint8_t *x = row;
        const int32_t *place = weights + ky * kernel_w + t->first_x;
        int32_t left = columns;
        uint32_t w, low, high, pair;
        for (; left >= 3; left -= 3) {
            __asm__(DEPTHWISE_S16_TAP DEPTHWISE_S16_TAP DEPTHWISE_S16_TAP
                    : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [weights] "+r"(place), [w] "=&r"(w),
                      [low] "=&r"(low), [high] "=&r"(high), [pair] "=&r"(pair)
                    : [step] "r"(t->step)
                    : "memory");
        }
        for (; left > 0; --left) {
            __asm__(DEPTHWISE_S16_TAP
                    : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [weights] "+r"(place), [w] "=&r"(w),
                      [low] "=&r"(low), [high] "=&r"(high), [pair] "=&r"(pair)
                    : [step] "r"(t->step)
                    : "memory");
        }
        row += t->line;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* All channels of the window at (iy, ix) */
HIL_INLINE void depthwise_s16_pixel(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *output,
                                    int32_t iy, int32_t ix, const depthwise_conv_s16_dsp_shape *s)
{
    depthwise_s16_window t;
    t.first_y = hil_first_tap(iy, s->dilation_h);
    t.end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    t.first_x = hil_first_tap(ix, s->dilation_w);
    t.end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    t.start = ((iy + t.first_y * s->dilation_h) * s->in_w + ix + t.first_x * s->dilation_w) * s->in_c;
    t.line = 2 * s->dilation_h * s->in_w * s->in_c;
    t.step = 2 * s->dilation_w * s->in_c;
    for (int32_t c = 0; c < s->in_c; c += 4) {
        int32_t sums[4];
        depthwise_s16_sums(sums, records, input + c, weights, s->kernel_w, &t);
        for (int32_t i = 0; i < 4; ++i) {
            output[c + i] = scale_s16(sums[i], records[4 + i], s->clamp_min, s->clamp_max);
        }
        weights += s->kernel_h * s->kernel_w;
        records += 8;
    }
}

HIL_SHARED void depthwise_conv_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records,
                                       int16_t *output, const depthwise_conv_s16_dsp_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                depthwise_s16_pixel(input, weights, records, output, oy * s->stride_h - s->pad_top,
                                    ox * s->stride_w - s->pad_left, s);
                output += s->in_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
