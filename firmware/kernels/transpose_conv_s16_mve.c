#include "transpose_conv_s16_mve.h"

/* taps of a phase along one axis */
HIL_INLINE int32_t transpose_s16_taps(int32_t kernel, int32_t phase, int32_t stride)
{
    return phase < kernel ? (kernel - phase + stride - 1) / stride : 0;
}

HIL_SHARED void transpose_conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *offsets,
                                       const int32_t *records, int16_t *column, int16_t *output,
                                       const transpose_conv_s16_mve_shape *s)
{
    conv_s16_column_shape part = *s;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t y = oy + s->pad_top, phase_y = y % s->stride_h;
            part.kernel_h = transpose_s16_taps(s->kernel_h, phase_y, s->stride_h);
            const int32_t iy = y / s->stride_h - part.kernel_h + 1;
            int32_t phase_x = s->pad_left % s->stride_w, ix = s->pad_left / s->stride_w + 1;
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                part.kernel_w = transpose_s16_taps(s->kernel_w, phase_x, s->stride_w);
                part.row.taps = part.kernel_h * part.kernel_w * s->in_c;
                conv_s16_mve_copy(column, input, iy, ix - part.kernel_w, &part);
                row_s16_mve(column, weights + offsets[phase_y * s->stride_w + phase_x], records, output, &part.row);
                output += s->row.channels;
                if (++phase_x == s->stride_w) {
                    phase_x = 0;
                    ++ix;
                }
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
