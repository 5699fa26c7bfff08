/* See depthwise_conv_3x3_s8_mve.h. */
#include "depthwise_conv_3x3_s8_mve.h"

#include <string.h>

#include "fill_mve.h"

typedef depthwise_conv_3x3_s8_mve_shape shape;

/* Strip of the lines from `line` on: a word a channel and column, `column` bytes a column. After the first one of a
 * block of channels, two lines are in the strip already. */
HIL_LOCAL void weave(const shape *s, const int8_t *input, const int8_t *padding, int8_t *strip, int32_t column,
                     int32_t line, int32_t channels, int rolling)
{
    const int32_t left = s->pad_inner;
    const int32_t right = s->out_inner + 2 - left - s->in_inner; /* columns of padding after the input's */
    const int32_t inside = right < 0 ? s->out_inner + 2 - left : s->in_inner;
    /* Columns of fewer than 16 channels are woven as one run of bytes where they follow one another. */
    const int joined = column < 64;
    depthwise_quad_s8_mve_rows rows;
    rows.bytes = joined ? inside * channels : channels;
    rows.less = joined ? 16 : 0;
    for (int32_t k = 0; k < 4; ++k) {
        const int32_t y = line + k;
        const int in_image = y >= 0 && y < s->in_outer;
        rows.from[k] = in_image ? input + y * s->in_outer_step : padding;
        rows.step[k] = in_image ? (joined ? 16 : s->in_inner_step) : 0;
    }
    const int32_t count = joined ? (rows.bytes + 15) / 16 : inside;
    int8_t *first = strip + left * column;
    if (rolling) {
        depthwise_quad_s8_mve_roll(first, &rows, count);
    } else {
        fill_mve(strip, s->in_zero, left * column);
        depthwise_quad_s8_mve_weave(first, &rows, count);
    }
    if (right > 0 && (!rolling || joined)) {
        fill_mve(first + inside * column, s->in_zero, right * column);
    }
}

/* Rounds are four columns of two lines, or eight of the last one. Output i of a round is at (line[i], column[i]), and in
 * lane 2 * i or 2 * (i - 4) + 1. */
HIL_LOCAL void divide(const shape *s, depthwise_quad_s8_mve_work *work, int32_t lines, int32_t columns)
{
    const int32_t whole = lines == 2 || columns == 8 ? s->out_inner / columns : 0;
    const int32_t left = s->out_inner - whole * columns;
    work->rounds = whole;
    work->rest = 0;
    work->advance = columns * s->out_inner_step;
    work->back = 1 - whole * work->advance;
    for (int32_t i = 0; i < 8; ++i) {
        const int32_t line = columns == 8 ? 0 : i >> 1 & 1;
        const int32_t at = columns == 8 ? i : (i & 1) + (i >> 2) * 2;
        const int32_t lane = i < 4 ? 2 * i : 2 * i - 7;
        work->offsets[lane] = (uint16_t)(line * s->out_outer_step + at * s->out_inner_step);
        work->rest |= line < lines && at < left ? 3 << (2 * lane) : 0;
    }
}

HIL_SHARED void depthwise_conv_3x3_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                              int8_t *output, int8_t *strip, const shape *s,
                                              depthwise_quad_s8_mve_function *quads,
                                              depthwise_quad_s8_mve_function *last)
{
    /* tap of a lane: four inner positions of four outer ones each; 10 is where every channel has a zero */
    static const uint8_t pattern[16] = {0, 1, 2, 10, 3, 4, 5, 10, 6, 7, 8, 10, 10, 10, 10, 10};
    const int32_t column = s->channels < 16 ? 4 * s->channels : 64;
    int8_t padding[16];
    fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
    depthwise_quad_s8_mve_work work;
    work.record = 11;
    work.step = 2 * column;
    work.strip = strip - work.step;
    work.out_zero = s->out_zero;
    work.clamp_min = s->clamp_min;
    work.clamp_max = s->clamp_max;
    memcpy(work.pattern, pattern, sizeof pattern);
    for (int32_t i = 0; i < 4; ++i) {
        work.gather[i] = (uint32_t)(i * column);
    }
    depthwise_quad_s8_mve_work end = work; /* of an odd last line */
    divide(s, &work, 2, 4);
    divide(s, &end, 1, last != quads ? 8 : 4);
    /* Rounds read to the end of the scratch, for lanes that are not stored: nothing is read that was never written. */
    const int32_t beyond = (-s->out_inner & (last != quads ? 7 : 3)) * column + (s->channels < 16 ? 64 : 0);
    fill_mve(strip + (s->out_inner + 2) * column, s->in_zero, beyond);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t c = 0; c < s->channels; c += 16) {
            const int32_t channels = s->channels - c < 16 ? s->channels - c : 16;
            for (int32_t line = 0; line < s->out_outer; line += 2) {
                const int32_t lines = s->out_outer - line == 1 ? 1 : 2;
                weave(s, input + c, padding, strip, column, line - s->pad_outer, channels, line > 0);
                depthwise_quad_s8_mve_work *const part = lines == 1 ? &end : &work;
                part->channels = channels;
                part->scale = scale + 3 * c;
                part->taps = taps + work.record * c;
                part->output = output + c + line * s->out_outer_step;
                (lines == 1 ? last : quads)(part);
            }
        }
        input += s->in_inner * s->in_outer * s->channels;
        output += s->out_inner * s->out_outer * s->channels;
    }
}
