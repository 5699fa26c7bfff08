/* See depthwise_conv_tiles_s8_mve.h. */
#include "depthwise_conv_tiles_s8_mve.h"

#include "fill_mve.h"

typedef depthwise_conv_tiles_s8_mve_shape shape;

/* a row of the strip: words that lie in the image are woven in one go */
HIL_LOCAL void weave(const shape *s, const int8_t *line, const int8_t *padding, int8_t *strip, int32_t words, int32_t channels)
{
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
        if (first + 4 <= 0 || first >= s->in_inner) {
            fill_mve(strip + 64 * word, s->in_zero, 64);
        } else {
            for (int32_t k = 0; k < 4; ++k) {
                const int in_image = first + k >= 0 && first + k < s->in_inner;
                rows.from[k] = in_image ? line + (first + k) * s->in_inner_step : padding;
                rows.step[k] = 4 * s->in_inner_step;
            }
            depthwise_quad_s8_mve_weave(strip + 64 * word, &rows, count);
        }
        word += count;
    }
}

/* what all lines and channels share */
HIL_LOCAL int32_t prepare(const shape *s, depthwise_tiles_s8_mve_work *work)
{
    const int32_t together = s->kernel_inner <= 5 ? 2 : 1; /* rows of a group */
    const int32_t words = 2 * ((s->out_inner + 7) / 8) + (together == 2 ? 1 : 3);
    const int32_t left = s->out_inner % 8;
    work->record = s->kernel_inner * s->kernel_outer + 2;
    work->groups = (s->kernel_outer + together - 1) / together;
    work->group_step = 64 * words * together;
    work->rounds = (s->out_inner + 7) / 8;
    work->last = left == 0 ? 0xffff : 0;
    for (int32_t i = 0; i < left; ++i) {
        work->last |= 3u << (i < 4 ? 4 * i : 4 * i - 14); /* lanes are outputs 0, 4, 1, 5, ... */
    }
    work->step = s->out_inner_step;
    work->out_zero = s->out_zero;
    work->clamp_min = s->clamp_min;
    work->clamp_max = s->clamp_max;
    for (int32_t i = 0; i < 4; ++i) {
        work->gather[i] = (uint32_t)(together == 2 ? 64 * (i & 1) + 64 * words * (i >> 1) : 64 * i);
    }
    for (int32_t i = 0; i < 16 * work->groups; ++i) {
        const int32_t width = 16 / together;
        const int32_t row = i / 16 * together + i % 16 / width, column = i % width;
        const int tap = row < s->kernel_outer && column < s->kernel_inner;
        work->pattern[i / 16][i % 16] = (uint8_t)(tap ? column * s->kernel_outer + row : work->record - 1); /* or zero */
    }
    return words;
}

HIL_SHARED void depthwise_conv_tiles_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                                int8_t *output, int8_t *strip, const shape *s,
                                                depthwise_tiles_s8_mve_function *tiles)
{
    int8_t padding[16];
    depthwise_tiles_s8_mve_work work;
    const int32_t words = prepare(s, &work);
    fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
    work.strip = strip;
    /* a row that no window has meets taps of zero; nothing is read that was never written */
    fill_mve(strip, s->in_zero, work.groups * work.group_step);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t c = 0; c < s->channels; c += 16) {
            work.channels = s->channels - c < 16 ? s->channels - c : 16;
            work.scale = scale + 3 * c;
            work.taps = taps + work.record * c;
            for (int32_t line = 0; line < s->out_outer; ++line) {
                for (int32_t k = 0; k < s->kernel_outer; ++k) {
                    const int32_t y = line * s->stride_outer - s->pad_outer + k * s->dilation_outer;
                    int8_t *const row = strip + 64 * words * k;
                    if (y >= 0 && y < s->in_outer) {
                        weave(s, input + c + y * s->in_outer_step, padding, row, words, work.channels);
                    } else {
                        fill_mve(row, s->in_zero, 64 * words);
                    }
                }
                work.output = output + c + line * s->out_outer_step;
                tiles(&work);
            }
        }
        input += s->in_inner * s->in_outer * s->channels;
        output += s->out_inner * s->out_outer * s->channels;
    }
}
