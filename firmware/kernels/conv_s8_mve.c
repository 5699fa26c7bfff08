/* See conv_s8_mve.h. */
#include "conv_s8_mve.h"

#include "fill_mve.h"

/* the strip of output columns ox .. ox + columns of output row oy */
HIL_LOCAL void weave(const conv_s8_mve_shape *s, conv_strip_s8_mve_shape *weaving, const int8_t *image, int8_t *strip,
                     const int8_t *padding, int32_t oy, int32_t ox, int32_t pixels)
{
    const int32_t column = weaving->column;
    const int32_t first = ox * s->stride_w - s->pad_left;
    const int32_t columns = (pixels - 1) * s->stride_w + s->kernel_w;
    const int32_t left = first < 0 ? (-first < columns ? -first : columns) : 0;
    const int32_t room = s->in_w - first < columns ? s->in_w - first : columns;
    const int32_t end = room < left ? left : room;
    const int32_t inside = end - left;
    /* one strip a row: its padding lasts */
    if (s->tile_w < s->out_w || oy == 0) {
        if (left > 0) {
            fill_mve(strip, s->in_zero, left * column);
        }
        if (end < columns) {
            fill_mve(strip + end * column, s->in_zero, (columns - end) * column);
        }
    }
    if (inside == 0) {
        return;
    }
    int8_t *to = strip + left * column;
    int32_t y = oy * s->stride_h - s->pad_top;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        if (y >= 0 && y < s->in_h) {
            weaving->input_step = s->in_c;
            conv_strip_s8_mve(to, image + (y * s->in_w + first + left) * s->in_c, inside, weaving);
        } else {
            weaving->input_step = 0;
            conv_strip_s8_mve(to, padding, inside, weaving);
        }
        to += s->in_c;
        y += s->dilation_h;
    }
}

HIL_SHARED void conv_s8_mve_rows(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                 const conv_s8_mve_shape *s, gemm_s8_mve_function *gemm)
{
    int8_t padding[64];
    conv_strip_s8_mve_shape weaving;
    gemm_s8_mve_shape part = {s->out_w, s->x_step,  s->steps,     s->tail,     s->out_c,
                              s->out_zero, s->clamp_min, s->clamp_max, s->form,     s->out_c};
    if (s->tile_w > 0) {
        fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
        conv_strip_s8_mve_prepare(&weaving, s->in_c, s->kernel_h);
        /* what the last step reads beyond the strip meets weights of zero, but nothing is read that was never written */
        const int32_t columns = (s->tile_w - 1) * s->stride_w + s->kernel_w;
        const int32_t beyond = s->tail != 0 ? 0 : 16 * s->steps - s->kernel_w * weaving.column;
        if (beyond > 0) {
            fill_mve(strip + columns * weaving.column, s->in_zero, beyond);
        }
    }
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            if (s->tile_w == 0) {
                gemm(input + oy * s->stride_h * s->in_w * s->in_c, packed, output, &part);
                output += s->out_w * s->out_c;
                continue;
            }
            for (int32_t ox = 0; ox < s->out_w; ox += s->tile_w) {
                part.pixels = s->out_w - ox < s->tile_w ? s->out_w - ox : s->tile_w;
                weave(s, &weaving, input, strip, padding, oy, ox, part.pixels);
                gemm(strip, packed, output, &part);
                output += part.pixels * s->out_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
