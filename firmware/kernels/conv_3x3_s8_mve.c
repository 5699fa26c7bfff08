/* See conv_3x3_s8_mve.h. */
#include "conv_3x3_s8_mve.h"

#include "fill_mve.h"

/* four rows from (y, x) on; `fresh`: the columns of padding are not in the strip yet */
HIL_LOCAL void weave(const conv_3x3_s8_mve_shape *s, const int8_t *image, int8_t *strip, const int8_t *padding, int32_t y,
                     int32_t x, int32_t columns, int fresh)
{
    const int32_t left = x < 0 ? (-x < columns ? -x : columns) : 0;
    const int32_t room = s->in_w - x < columns ? s->in_w - x : columns;
    const int32_t end = room < left ? left : room;
    for (int32_t c = 0; c < s->in_c; c += 16) {
        if (fresh) {
            fill_mve(strip, s->in_zero, 64 * left);
            fill_mve(strip + 64 * end, s->in_zero, 64 * (columns - end));
        }
        if (end > left) {
            conv_tiles_3x3_s8_mve_rows rows;
            const int32_t first = (y * s->in_w + x + left) * s->in_c + c;
            const int32_t line = s->in_w * s->in_c;
            if (s->in_c == 16 && y >= 0 && y + 4 <= s->in_h) {
                rows.from[0] = image + first;
                rows.from[1] = image + first + line;
                rows.from[2] = image + first + 2 * line;
                rows.from[3] = image + first + 3 * line;
                conv_tiles_3x3_s8_mve_weave_16(strip + 64 * left, &rows, end - left);
            } else {
                rows.bytes = s->in_c - c;
                for (int32_t k = 0; k < 4; ++k) {
                    const int inside = y + k >= 0 && y + k < s->in_h;
                    rows.from[k] = inside ? image + (first + k * line) : padding;
                    rows.step[k] = inside ? s->in_c : 0;
                }
                conv_tiles_3x3_s8_mve_weave(strip + 64 * left, &rows, end - left);
            }
        }
        strip += 64 * columns;
    }
}

/* outputs of a strip */
HIL_LOCAL void compute_strip(const int8_t *strip, const int32_t *packed, int8_t *output, int32_t count,
                             conv_tiles_3x3_s8_mve_work *tiles, conv_tiles_3x3_s8_mve_function *compute)
{
    tiles->tiles = count / 4;
    compute(strip, packed, output, tiles);
    if (count % 4 != 0) {
        tiles->tiles = 1;
        compute(strip + 64 * (count - 4), packed, output + tiles->pixel * (count - 4), tiles);
    }
}

HIL_SHARED void conv_3x3_s8_mve_run(const int8_t *input, const int32_t *packed, int8_t *output, int32_t *strip,
                                    const conv_3x3_s8_mve_shape *s, const conv_tiles_3x3_s8_mve_functions *compute)
{
    int8_t padding[16];
    int8_t *const woven = (int8_t *)strip;
    const int32_t line = s->out_w * s->out_c;
    conv_tiles_3x3_s8_mve_work tiles = {0, (s->in_c + 15) / 16, 0, s->out_c, s->out_c, line, s->clamp_min, s->clamp_max,
                                        packed};
    fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t row = 0; row < s->out_h; row += 2) {
            const int32_t oy = row < s->out_h - 1 ? row : s->out_h - 2;
            const int upper = oy < s->pad_top, lower = oy - s->pad_top + 3 >= s->in_h;
            conv_tiles_3x3_s8_mve_function *const past_upper = lower ? compute->lower : compute->inside;
            conv_tiles_3x3_s8_mve_function *const of_row = upper ? compute->upper : past_upper;
            tiles.edge = packed + s->edges + (upper ? 0 : 2 * s->out_c);
            for (int32_t column = 0; column < s->out_w; column += s->tile_w) {
                const int32_t ox = column < s->out_w - 3 ? column : s->out_w - 4;
                const int32_t count = s->out_w - ox < s->tile_w ? s->out_w - ox : s->tile_w;
                const int fresh = s->tile_w < s->out_w || (n == 0 && row == 0);
                tiles.group_step = 64 * (count + 2);
                weave(s, input, woven, padding, oy - s->pad_top, ox - s->pad_left, count + 2, fresh);
                compute_strip(woven, packed, output + oy * line + ox * s->out_c, count, &tiles, of_row);
            }
        }
        input += s->in_h * s->in_w * s->in_c;
        output += s->out_h * line;
    }
}
