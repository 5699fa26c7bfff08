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

/* lanes of a round that are columns below `columns`, of one line or both */
HIL_LOCAL int32_t lanes(int32_t columns, int32_t lines)
{
    static const uint16_t of_columns[5] = {0, 0x0303, 0x3333, 0x3f3f, 0xffff};
    return of_columns[columns] & (lines == 1 ? 0xff : 0xffff);
}

HIL_SHARED void depthwise_conv_3x3_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                              int8_t *output, int8_t *strip, const shape *s,
                                              depthwise_quad_s8_mve_function *quads)
{
    /* tap of a lane: four inner positions of four outer ones each; 10 is where every channel has a zero */
    static const uint8_t pattern[16] = {0, 1, 2, 10, 3, 4, 5, 10, 6, 7, 8, 10, 10, 10, 10, 10};
    const int32_t column = s->channels < 16 ? 4 * s->channels : 64;
    int8_t padding[16];
    fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
    depthwise_quad_s8_mve_work work;
    work.record = 11;
    work.rounds = s->out_inner / 4;
    work.advance = 4 * s->out_inner_step;
    work.back = 1 - work.rounds * work.advance;
    work.step = 2 * column;
    work.strip = strip - work.step;
    work.out_zero = s->out_zero;
    work.clamp_min = s->clamp_min;
    work.clamp_max = s->clamp_max;
    memcpy(work.pattern, pattern, sizeof pattern);
    for (int32_t i = 0; i < 4; ++i) {
        const int32_t of_first = (i >> 1) * s->out_outer_step + (i & 1) * s->out_inner_step;
        work.offsets[2 * i] = (uint16_t)of_first;
        work.offsets[2 * i + 1] = (uint16_t)(of_first + 2 * s->out_inner_step);
        work.gather[i] = (uint32_t)(i * column);
    }
    /* Rounds read to the end of the scratch, for lanes that are not stored: nothing is read that was never written. */
    const int32_t beyond = (-s->out_inner & 3) * column + (s->channels < 16 ? 64 : 0);
    fill_mve(strip + (s->out_inner + 2) * column, s->in_zero, beyond);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t c = 0; c < s->channels; c += 16) {
            work.channels = s->channels - c < 16 ? s->channels - c : 16;
            work.scale = scale + 2 * c;
            work.taps = taps + work.record * c;
            for (int32_t line = 0; line < s->out_outer; line += 2) {
                const int32_t lines = s->out_outer - line == 1 ? 1 : 2;
                weave(s, input + c, padding, strip, column, line - s->pad_outer, work.channels, line > 0);
                work.output = output + c + line * s->out_outer_step;
                work.lanes = lanes(4, lines);
                work.rest = lanes(s->out_inner % 4, lines);
                quads(&work);
            }
        }
        input += s->in_inner * s->in_outer * s->channels;
        output += s->out_inner * s->out_outer * s->channels;
    }
}
