/* See depthwise_conv_line_s8_mve.h. */
#include "depthwise_conv_line_s8_mve.h"

#include "fill_mve.h"

typedef depthwise_conv_line_s8_mve_shape shape;

/* strip of one line: as many words as the outputs need, most of them woven in one go */
HIL_LOCAL void weave(const shape *s, const int8_t *line, const int8_t *padding, int8_t *strip, int32_t channels)
{
    const int32_t words = (s->out_inner + s->kernel + 2) / 4;
    depthwise_quad_s8_mve_rows rows;
    rows.bytes = channels;
    rows.less = 0;
    for (int32_t word = 0; word < words;) {
        const int32_t first = 4 * word - s->pad_inner;
        int32_t count = 1;
        if (first >= 0 && first + 4 <= s->in_inner) {
            count = (s->in_inner - first) / 4;
            count = count < words - word ? count : words - word;
        }
        for (int32_t k = 0; k < 4; ++k) {
            const int in_image = first + k >= 0 && first + k < s->in_inner;
            rows.from[k] = in_image ? line + (first + k) * s->in_inner_step : padding;
            rows.step[k] = 4 * s->in_inner_step;
        }
        depthwise_quad_s8_mve_weave(strip + 64 * word, &rows, count);
        word += count;
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
    work.lanes = 0xffff;
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
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t line = 0; line < s->out_outer; ++line) {
            const int32_t y = line * s->stride_outer;
            for (int32_t c = 0; c < s->channels; c += 16) {
                work.channels = s->channels - c < 16 ? s->channels - c : 16;
                work.scale = scale + 2 * c;
                work.taps = taps + work.record * c;
                work.output = output + c + line * s->out_outer_step;
                weave(s, input + c + y * s->in_outer_step, padding, strip, work.channels);
                quads(&work);
            }
        }
        input += s->in_inner * s->in_outer * s->channels;
        output += s->out_inner * s->out_outer * s->channels;
    }
}
