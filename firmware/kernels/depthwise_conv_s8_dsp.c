#include "depthwise_conv_s8_dsp.h"

#include "depthwise_quads_dsp.h"
#include "window.h"

HIL_SHARED void depthwise_conv_s8_dsp(const int8_t *input, const int32_t *packed, int8_t *output,
                                      const depthwise_conv_s8_dsp_shape *s)
{
    const int32_t row_step = s->dilation_h * s->in_w * s->in_c;
    const int32_t step = s->dilation_w * s->in_c;
    depthwise_quads_dsp_run run = {0, 0, 0, 0, 0, 0, s->in_c, step, s->minus_zero};
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            const int32_t ky_first = hil_first_tap(iy, s->dilation_h);
            const int32_t rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - ky_first;
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                const int32_t kx_first = hil_first_tap(ix, s->dilation_w);
                const int32_t columns = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w) - kx_first;
                const int32_t inside = rows > 0 && columns > 0;
                const int32_t first = inside ? ky_first * s->kernel_w + kx_first : 0;
                const int32_t pixel = (iy + ky_first * s->dilation_h) * s->in_w + ix + kx_first * s->dilation_w;
                run.rows = inside ? rows : 0;
                run.columns = columns;
                run.x_gap = row_step - columns * step;
                run.w_gap = 4 * (s->kernel_w - columns);
                run.w_first = 4 * first;
                run.w_after = 4 * ((s->kernel_h - run.rows) * s->kernel_w - first);
                depthwise_quads_dsp(inside ? input + pixel * s->in_c : input, packed, output, &run);
                output += s->in_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
