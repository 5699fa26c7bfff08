/* See depthwise_conv_line_s8_mve.h. */
#include "depthwise_conv_line_s8_mve.h"

#include "fill_mve.h"

typedef depthwise_conv_line_s8_mve_shape shape;

/* words of a strip: those that lie in the image are woven in one go, those before and after them one by one */
typedef struct {
    int32_t before, whole, all;
} strip_words;

HIL_LOCAL strip_words count_words(const shape *s)
{
    strip_words words = {(s->pad_inner + 3) / 4, 0, (s->out_inner + s->kernel + 2) / 4};
    words.before = words.before < words.all ? words.before : words.all;
    words.whole = (s->in_inner - 4 * words.before + s->pad_inner) / 4;
    words.whole = words.whole < words.all - words.before ? words.whole : words.all - words.before;
    words.whole = words.whole > 0 ? words.whole : 0;
    return words;
}

/* words that reach beyond the image */
HIL_LOCAL void weave_edges(const shape *s, const int8_t *line, const int8_t *padding, int8_t *strip, int32_t channels,
                           int32_t word, int32_t end)
{
    depthwise_quad_s8_mve_rows rows;
    rows.bytes = channels;
    rows.less = 0;
    for (; word < end; ++word) {
        for (int32_t k = 0; k < 4; ++k) {
            const int32_t at = 4 * word - s->pad_inner + k;
            rows.from[k] = at >= 0 && at < s->in_inner ? line + at * s->in_inner_step : padding;
            rows.step[k] = 0;
        }
        depthwise_quad_s8_mve_weave(strip + 64 * word, &rows, 1);
    }
}

HIL_SHARED void depthwise_conv_line_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                               int8_t *output, int8_t *strip, const shape *s,
                                               depthwise_quad_s8_mve_function *quads)
{
    static const uint8_t position[8] = {0, 4, 1, 5, 2, 6, 3, 7};
    int8_t padding[16];
    fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
    depthwise_quad_s8_mve_work work;
    work.record = s->kernel + 2;
    work.rounds = s->out_inner / 8;
    work.rest = depthwise_quad_s8_mve_lanes(position, s->out_inner % 8);
    work.advance = 8 * s->out_inner_step;
    work.back = 1 - work.rounds * work.advance;
    work.step = 64;
    work.strip = strip - work.step;
    work.out_zero = s->out_zero;
    work.clamp_min = s->clamp_min;
    work.clamp_max = s->clamp_max;
    for (int32_t i = 0; i < 16; ++i) {
        work.pattern[i] = (uint8_t)(i < s->kernel ? i : s->kernel + 1); /* the zero after the shift */
    }
    for (int32_t i = 0; i < 8; ++i) {
        work.offsets[i] = (uint16_t)(position[i] * s->out_inner_step);
    }
    for (int32_t i = 0; i < 4; ++i) {
        work.gather[i] = (uint32_t)(64 * i);
    }
    /* Rounds read to the end of the scratch, for lanes that are not stored: nothing is read that was never written. */
    fill_mve(strip, s->in_zero, 64 * (2 * ((s->out_inner + 7) / 8) + 3));
    const strip_words words = count_words(s);
    const int32_t pixel = s->in_inner_step, begin = 4 * words.before - s->pad_inner, last = words.before + words.whole;
    depthwise_quad_s8_mve_rows rows = {{0}, {4 * pixel, 4 * pixel, 4 * pixel, 4 * pixel}, 0, 0};
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t line = 0; line < s->out_outer; ++line) {
            const int8_t *from = input + line * s->stride_outer * s->in_outer_step;
            work.output = output + line * s->out_outer_step;
            work.scale = scale;
            work.taps = taps;
            for (int32_t left = s->channels; left > 0; left -= 16) {
                work.channels = rows.bytes = left < 16 ? left : 16;
                if (words.before > 0) {
                    weave_edges(s, from, padding, strip, work.channels, 0, words.before);
                }
                if (words.whole > 0) {
                    const int8_t *const first = from + begin * pixel;
                    rows.from[0] = first;
                    rows.from[1] = first + pixel;
                    rows.from[2] = first + 2 * pixel;
                    rows.from[3] = first + 3 * pixel;
                    depthwise_quad_s8_mve_weave(strip + 64 * words.before, &rows, words.whole);
                }
                if (last < words.all) {
                    weave_edges(s, from, padding, strip, work.channels, last, words.all);
                }
                quads(&work);
                from += 16;
                work.output += 16;
                work.scale += 3 * 16;
                work.taps += 16 * work.record;
            }
        }
        input += s->in_inner * s->in_outer * s->channels;
        output += s->out_inner * s->out_outer * s->channels;
    }
}
