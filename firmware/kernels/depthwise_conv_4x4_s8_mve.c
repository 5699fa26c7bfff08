/* See depthwise_conv_4x4_s8_mve.h. */
#include "depthwise_conv_4x4_s8_mve.h"

#include <string.h>

#include "fill_mve.h"

typedef depthwise_conv_4x4_s8_mve_shape shape;

/* strip of the lines of one output line, `column` bytes a column: a word a channel */
HIL_LOCAL void weave(const shape *s, const int8_t *input, const int8_t *padding, int8_t *strip, int32_t column,
                     int32_t line, int32_t channels)
{
    const int32_t columns = (s->out_inner - 1) * s->stride_inner + s->kernel_inner;
    const int32_t left = s->pad_inner;
    const int32_t inside = columns - left < s->in_inner ? columns - left : s->in_inner;
    const int32_t right = columns - left - inside;
    /* Columns of fewer than 16 channels are woven as one run of bytes: they follow one another. */
    const int joined = column < 64;
    int8_t *first = strip + left * column;
    depthwise_quad_s8_mve_rows rows;
    rows.bytes = joined ? inside * channels : channels;
    rows.less = joined ? 16 : 0;
    for (int32_t k = 0; k < 4; ++k) {
        const int32_t y = line + (k < s->kernel_outer ? k * s->dilation_outer : 0);
        const int in_image = y >= 0 && y < s->in_outer;
        rows.from[k] = in_image ? input + y * s->in_outer_step : padding;
        rows.step[k] = in_image ? (joined ? 16 : s->in_inner_step) : 0;
    }
    fill_mve(strip, s->in_zero, left * column);
    depthwise_quad_s8_mve_weave(first, &rows, joined ? (rows.bytes + 15) / 16 : inside);
    fill_mve(first + inside * column, s->in_zero, right * column);
}

HIL_SHARED void depthwise_conv_4x4_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                              int8_t *output, int8_t *strip, const shape *s,
                                              depthwise_quad_s8_mve_function *quads)
{
    static const uint8_t position[8] = {0, 4, 1, 5, 2, 6, 3, 7};
    const int32_t column = 4 * (s->channels < 16 ? s->channels : 16);
    const int32_t count = s->kernel_inner * s->kernel_outer;
    int8_t padding[16];
    fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
    depthwise_quad_s8_mve_work work;
    work.record = count + 2;
    work.rounds = s->out_inner / 8;
    work.rest = depthwise_quad_s8_mve_lanes(position, s->out_inner % 8);
    work.advance = 8 * s->out_inner_step;
    work.back = 1 - work.rounds * work.advance;
    work.step = s->stride_inner * column;
    work.strip = strip - work.step;
    work.out_zero = s->out_zero;
    work.clamp_min = s->clamp_min;
    work.clamp_max = s->clamp_max;
    /* lanes are four inner positions of four outer ones; those without a tap have the zero after the shift */
    for (int32_t i = 0; i < 16; ++i) {
        const int32_t inner = i >> 2, outer = i & 3;
        const int inside = inner < s->kernel_inner && outer < s->kernel_outer;
        work.pattern[i] = (uint8_t)(inside ? inner * s->kernel_outer + outer : count + 1);
    }
    for (int32_t i = 0; i < 8; ++i) {
        work.offsets[i] = (uint16_t)(position[i] * s->out_inner_step);
    }
    for (int32_t i = 0; i < 4; ++i) {
        work.gather[i] = (uint32_t)(i * column);
    }
    /* Rounds read to the end of the scratch, for lanes that are not stored: nothing is read that was never written. */
    const int32_t written = (s->out_inner - 1) * s->stride_inner + s->kernel_inner;
    const int32_t columns = (((s->out_inner + 7) & ~7) - 1) * s->stride_inner + 4;
    fill_mve(strip + written * column, s->in_zero, (columns - written) * column + (s->channels < 16 ? 64 : 0));
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t c = 0; c < s->channels; c += 16) {
            work.channels = s->channels - c < 16 ? s->channels - c : 16;
            work.scale = scale + 3 * c;
            work.taps = taps + work.record * c;
            for (int32_t line = 0; line < s->out_outer; ++line) {
                const int32_t first = line * s->stride_outer - s->pad_outer;
                weave(s, input + c, padding, strip, column, first, work.channels);
                work.output = output + c + line * s->out_outer_step;
                quads(&work);
            }
        }
        input += s->in_inner * s->in_outer * s->channels;
        output += s->out_inner * s->out_outer * s->channels;
    }
}
