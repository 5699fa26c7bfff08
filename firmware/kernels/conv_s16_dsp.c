#include "conv_s16_dsp.h"

#include "gemm_2x4_s16_dsp.h"
#include "scale_s16.h"

/* `count` elements, or zeros where `from` is 0, from tap `tap` of a column on; columns of four pixels lie in turn */
HIL_INLINE void conv_s16_fill(int16_t *column, int32_t tap, const int16_t *from, int32_t count)
{
    if (((tap | count) & 1) == 0) {
        int16_t *to = column + 4 * tap;
        for (; count > 0; count -= 2) {
            to[0] = from != 0 ? from[0] : 0;
            to[1] = from != 0 ? from[1] : 0;
            from = from != 0 ? from + 2 : 0;
            to += 8;
        }
        return;
    }
    for (int32_t i = 0; i < count; ++i) {
        column[8 * ((tap + i) >> 1) + ((tap + i) & 1)] = from != 0 ? from[i] : 0;
    }
}

/* The window at (iy, ix) */
HIL_INLINE void conv_s16_column(int16_t *column, const int16_t *input, int32_t iy, int32_t ix, const conv_s16_dsp_shape *s)
{
    int32_t tap = 0;
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        const int32_t y = iy + ky * s->dilation_h;
        for (int32_t kx = 0; kx < s->kernel_w; ++kx) {
            const int32_t x = ix + kx * s->dilation_w;
            const int32_t inside = y >= 0 && y < s->in_h && x >= 0 && x < s->in_w;
            conv_s16_fill(column, tap, inside ? input + (y * s->in_w + x) * s->in_c : 0, s->in_c);
            tap += s->in_c;
        }
    }
    conv_s16_fill(column, tap, 0, s->taps - tap);
}

/* All channels of `pixels` of four pixels */
HIL_INLINE void conv_s16_four(const int16_t *columns, const int32_t *weights, const int32_t *records, int16_t *output,
                              int32_t pixels, const conv_s16_dsp_shape *s)
{
    for (int32_t c = 0; c < s->channels; c += 2) {
        int32_t sums[8];
        sums[0] = records[0];
        sums[4] = records[1];
        gemm_2x4_s16_dsp(sums, columns, weights, columns + 4 * s->taps);
        int16_t *to = output + c;
        for (int32_t p = 0; p < pixels; ++p) {
            to[0] = scale_s16(sums[p], records[2], s->clamp_min, s->clamp_max);
            if (c + 1 < s->channels) {
                to[1] = scale_s16(sums[4 + p], records[3], s->clamp_min, s->clamp_max);
            }
            to += s->channels;
        }
        weights += s->taps >> 1;
        records += 4;
    }
}

HIL_SHARED void conv_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *columns,
                             int16_t *output, const conv_s16_dsp_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        int32_t waiting = 0;
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                conv_s16_column(columns + 2 * waiting, input, iy, ix, s);
                if (++waiting == 4) {
                    conv_s16_four(columns, weights, records, output, 4, s);
                    output += 4 * s->channels;
                    waiting = 0;
                }
            }
        }
        if (waiting > 0) {
            conv_s16_four(columns, weights, records, output, waiting, s);
            output += waiting * s->channels;
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
