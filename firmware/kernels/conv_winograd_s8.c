#include "conv_winograd_s8.h"

#include "copy_words_dsp.h"
#include "winograd_transform_dsp.h"

/* Words of scratch. */
typedef struct {
    int32_t position, pair, block, strip; /* a position of a pair, a pair, weights of four channels, a strip */
    int32_t width;                        /* pixels of a strip's row */
    int32_t *weights, *tiles, *rows, *columns;
} conv_winograd_s8_scratch;

HIL_LOCAL conv_winograd_s8_scratch conv_winograd_s8_divided(int32_t *scratch, const conv_winograd_s8_shape *s)
{
    conv_winograd_s8_scratch w;
    w.position = 4 * s->quads + HIL_WINOGRAD_END_WORDS;
    w.pair = 36 * w.position;
    w.strip = s->pairs * w.pair;
    w.block = 36 * 8 * s->quads;
    w.width = 8 * s->pairs + 2;
    w.weights = scratch;
    w.tiles = w.weights + (s->chunk + 3) / 4 * w.block;
    w.rows = w.tiles + s->strips * w.strip;
    w.columns = w.rows + 6 * w.width * s->quads;
    return w;
}

HIL_LOCAL int32_t *conv_winograd_s8_fill(int32_t *to, int32_t word, int32_t count)
{
    for (int32_t i = 0; i < count; ++i) {
        *to++ = word;
    }
    return to;
}

/* pixels whose channels are no whole words */
HIL_LOCAL int32_t *conv_winograd_s8_widen(int32_t *to, const int8_t *from, int32_t count,
                                          const conv_winograd_s8_shape *s)
{
    for (int32_t i = 0; i < count; ++i) {
        to[s->quads - 1] = 0;
        int8_t *const bytes = (int8_t *)to;
        for (int32_t j = 0; j < s->in_c; ++j) {
            bytes[j] = *from++;
        }
        to += s->quads;
    }
    return to;
}

/* six rows of a strip, in padding where they leave the image */
HIL_LOCAL void conv_winograd_s8_rows(const conv_winograd_s8_scratch *w, const int8_t *image, int32_t y, int32_t x,
                                     const conv_winograd_s8_shape *s)
{
    const int32_t first = x < 0 ? 0 : x;
    const int32_t end = x + w->width < s->in_w ? x + w->width : s->in_w;
    int32_t *to = w->rows;
    for (int32_t row = y; row < y + 6; ++row) {
        if (row < 0 || row >= s->in_h || end <= first) {
            to = conv_winograd_s8_fill(to, s->pad, w->width * s->quads);
            continue;
        }
        const int8_t *from = image + (row * s->in_w + first) * s->in_c;
        to = conv_winograd_s8_fill(to, s->pad, (first - x) * s->quads);
        if (s->in_c % 4 == 0) {
            copy_words_dsp(to, (const int32_t *)HIL_AT_WORD((const void *)from), (end - first) * s->quads);
            to += (end - first) * s->quads;
        } else {
            to = conv_winograd_s8_widen(to, from, end - first, s);
        }
        to = conv_winograd_s8_fill(to, s->pad, (x + w->width - end) * s->quads);
    }
}

/* the inputs of strip `unit` of the batch's, transformed */
HIL_LOCAL void conv_winograd_s8_tiles(const conv_winograd_s8_scratch *w, int32_t *tiles, const int8_t *input,
                                      int32_t unit, const conv_winograd_s8_shape *s)
{
    const int32_t each = (s->out_h + 3) / 4 * s->across;
    const int32_t row = unit % each / s->across;
    const int8_t *image = input + unit / each * (s->in_h * s->in_w * s->in_c);
    conv_winograd_s8_rows(w, image, 4 * row - s->pad_top, unit % s->across * 8 * s->pairs - s->pad_left, s);
    for (int32_t quad = 0; quad < s->quads; ++quad) {
        winograd_columns_dsp(w->columns, (const int8_t *)(w->rows + quad), w->width, 4 * s->quads);
        winograd_rows_dsp(tiles + 4 * quad, w->columns, s->pairs, 4 * w->position);
    }
}

/* weights of output channels `first`..`end`, transformed */
HIL_LOCAL void conv_winograd_s8_weights(const conv_winograd_s8_scratch *w, const int32_t *weights, int32_t first,
                                        int32_t end, const conv_winograd_s8_shape *s)
{
    int32_t *to = w->weights;
    for (int32_t channel = first; channel < end; channel += 4) {
        for (int32_t i = 0; i < 4; ++i) {
            winograd_weights_dsp(to + i, weights + (channel + i) * 9 * s->quads, s->quads);
        }
        to += w->block;
    }
}

/* four channels of a pair that reaches over the output's edge, by way of a whole one */
HIL_LOCAL void conv_winograd_s8_edge(const int32_t *weights, const int32_t *pair, const int32_t *channels,
                                     int8_t *output, int32_t height, int32_t width, int32_t depth,
                                     const conv_winograd_s8_shape *s, winograd_block *block)
{
    int8_t whole[4][8][4];
    const winograd_outputs to = {whole[0][0], whole[0][4], 4, 28, channels};
    block(weights, pair, &to);
    for (int32_t y = 0; y < height; ++y) {
        for (int32_t x = 0; x < width; ++x) {
            for (int32_t i = 0; i < depth; ++i) {
                output[(y * s->out_w + x) * s->out_c + i] = whole[y][x][i];
            }
        }
    }
}

/* outputs of a strip, channels `first`..`end` */
HIL_LOCAL void conv_winograd_s8_strip(const conv_winograd_s8_scratch *w, const int32_t *tiles, const int32_t *channels,
                                      int8_t *output, int32_t unit, int32_t first, int32_t end,
                                      const conv_winograd_s8_shape *s, winograd_block *block)
{
    const int32_t each = (s->out_h + 3) / 4 * s->across;
    const int32_t y = unit % each / s->across * 4, x = unit % s->across * 8 * s->pairs;
    const int32_t line = s->out_w * s->out_c, height = s->out_h - y < 4 ? s->out_h - y : 4;
    int8_t *const corner = output + (unit / each * s->out_h + y) * line + x * s->out_c;
    const int32_t *weights = w->weights;
    for (int32_t channel = first; channel < end; channel += 4) {
        const int32_t *constants = channels + channel * HIL_WINOGRAD_CHANNEL_WORDS;
        const int32_t depth = end - channel < 4 ? end - channel : 4;
        for (int32_t i = 0; i < s->pairs; ++i) {
            const int32_t left = s->out_w - x - 8 * i;
            int8_t *const to = corner + 8 * i * s->out_c + channel;
            if (height == 4 && left >= 8 && depth == 4) {
                const winograd_outputs outputs = {to, to + 4 * s->out_c, s->out_c, line - s->out_c, constants};
                block(weights, tiles + i * w->pair, &outputs);
            } else if (left > 0) {
                conv_winograd_s8_edge(weights, tiles + i * w->pair, constants, to, height, left < 8 ? left : 8, depth, s, block);
            }
        }
        weights += w->block;
    }
}

HIL_SHARED void conv_winograd_s8(const int8_t *input, const int32_t *weights, const int32_t *channels, int8_t *output,
                                 int32_t *scratch, const conv_winograd_s8_shape *s, winograd_block *block)
{
    const conv_winograd_s8_scratch w = conv_winograd_s8_divided(scratch, s);
    const int32_t units = s->batches * ((s->out_h + 3) / 4) * s->across;
    for (int32_t i = 1; i <= s->strips * s->pairs * 36; ++i) {
        int32_t *const mark = w.tiles + i * w.position - HIL_WINOGRAD_END_WORDS;
        mark[0] = HIL_WINOGRAD_END;
        mark[1] = i % 36 == 0;
    }
    for (int32_t unit = 0; unit < units; unit += s->strips) {
        const int32_t count = units - unit < s->strips ? units - unit : s->strips;
        for (int32_t i = 0; i < count; ++i) {
            conv_winograd_s8_tiles(&w, w.tiles + i * w.strip, input, unit + i, s);
        }
        for (int32_t first = 0; first < s->out_c; first += s->chunk) {
            const int32_t end = s->out_c - first < s->chunk ? s->out_c : first + s->chunk;
            if (unit == 0 || s->chunk < s->out_c) {
                conv_winograd_s8_weights(&w, weights, first, end, s);
            }
            for (int32_t i = 0; i < count; ++i) {
                conv_winograd_s8_strip(&w, w.tiles + i * w.strip, channels, output, unit + i, first, end, s, block);
            }
        }
    }
}
