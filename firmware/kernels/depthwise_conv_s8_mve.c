/* See depthwise_conv_s8_mve.h. */
#include "depthwise_conv_s8_mve.h"

#include "fill_mve.h"

HIL_SHARED void depthwise_conv_s8_mve_run(const int8_t *input, const int32_t *packed, int8_t *output,
                                          const int8_t **scratch, const depthwise_conv_s8_mve_shape *s,
                                          int32_t together, depthwise_taps_s8_mve_function *pixel)
{
    const int32_t count = s->kernel_h * s->kernel_w;
    const int32_t line = s->in_w * s->in_c;
    const int32_t words = (count + together - 1) / together;
    int8_t *const padding = (int8_t *)(scratch + words * together);
    int8_t *const strip = padding + s->in_c;
    const depthwise_taps_s8_mve_work work = {scratch,      count,        s->out_c, s->last, s->out_zero,
                                             s->clamp_min, s->clamp_max, strip,    words};
    fill_mve(padding, s->in_zero, s->in_c);
    if (together > 1) {
        /* lanes without a tap meet weights of zero, but nothing is read that was never written */
        for (int32_t i = count; i < words * together; ++i) {
            scratch[i] = padding;
        }
        fill_mve(strip, 0, 256 * ((words + 3) / 4));
    }
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int8_t **tap = scratch;
                int32_t y = oy * s->stride_h - s->pad_top;
                for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
                    const int in_rows = y >= 0 && y < s->in_h;
                    int32_t x = ox * s->stride_w - s->pad_left;
                    for (int32_t kx = 0; kx < s->kernel_w; ++kx) {
                        const int inside = in_rows && x >= 0 && x < s->in_w;
                        *tap++ = inside ? input + y * line + x * s->in_c : padding;
                        x += s->dilation_w;
                    }
                    y += s->dilation_h;
                }
                pixel(packed, output, &work);
                output += s->out_c;
            }
        }
        input += s->in_h * line;
    }
}
