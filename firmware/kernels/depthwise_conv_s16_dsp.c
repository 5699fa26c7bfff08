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

#define DEPTHWISE_S16_OPERANDS                                                                                                  \
    [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [weights] "+r"(place), [w] "=&r"(w), [low] "=&r"(low),      \
        [high] "=&r"(high), [pair] "=&r"(pair)

typedef struct {
    int32_t rows, columns; /* taps inside of the image */
    int32_t start, first;  /* elements from the image to the first of them, and its place among the weights */
    int32_t step, skip;    /* bytes from one to the next, and from beyond a row to the next row */
    int32_t skipped;       /* weights from beyond a row to the next row */
} depthwise_s16_window;

/* Four channels of a window */
HIL_INLINE void depthwise_s16_four(const int16_t *input, const int32_t *weights, const int32_t *record, int16_t *output,
                                   const depthwise_s16_window *t, const depthwise_conv_s16_dsp_shape *s)
{
    int32_t a = record[0], b = record[1], c = record[2], d = record[3];
    const uint8_t *x = (const uint8_t *)(input + t->start);
    const int32_t *place = weights + t->first;
    const int32_t step = t->step, skip = t->skip, skipped = t->skipped;
    uint32_t w, low, high, pair;
    if (t->columns == 3) {
        for (int32_t left = t->rows; left > 0; --left) {
            __asm__(DEPTHWISE_S16_TAP DEPTHWISE_S16_TAP DEPTHWISE_S16_TAP
                    : DEPTHWISE_S16_OPERANDS
                    : [step] "r"(step)
                    : "memory");
            x += skip;
            place += skipped;
        }
    } else {
        for (int32_t left = t->rows; left > 0; --left) {
            for (int32_t columns = t->columns; columns > 0; --columns) {
                __asm__(DEPTHWISE_S16_TAP : DEPTHWISE_S16_OPERANDS : [step] "r"(step) : "memory");
            }
            x += skip;
            place += skipped;
        }
    }
    const int32_t lowest = s->clamp_min, highest = s->clamp_max;
    output[0] = scale_s16(a, record[4], lowest, highest);
    output[1] = scale_s16(b, record[5], lowest, highest);
    output[2] = scale_s16(c, record[6], lowest, highest);
    output[3] = scale_s16(d, record[7], lowest, highest);
}

/* All channels of the window at (iy, ix) */
HIL_INLINE void depthwise_s16_pixel(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *output,
                                    int32_t iy, int32_t ix, const depthwise_conv_s16_dsp_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h), first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t columns = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w) - first_x;
    depthwise_s16_window t;
    t.rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - first_y;
    t.columns = columns > 0 ? columns : 0;
    t.start = ((iy + first_y * s->dilation_h) * s->in_w + ix + first_x * s->dilation_w) * s->in_c;
    t.first = first_y * s->kernel_w + first_x;
    t.step = 2 * s->dilation_w * s->in_c;
    t.skip = 2 * s->dilation_h * s->in_w * s->in_c - t.columns * t.step;
    t.skipped = s->kernel_w - t.columns;
    for (int32_t c = 0; c < s->in_c; c += 4) {
        depthwise_s16_four(input + c, weights, records, output + c, &t, s);
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
