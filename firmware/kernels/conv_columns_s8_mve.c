/* See conv_columns_s8_mve.h. */
#include "conv_columns_s8_mve.h"

#include "fill_mve.h"

HIL_SHARED void conv_columns_s8_mve_run(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                        const conv_columns_s8_mve_shape *s, gemm_s8_mve_function *gemm)
{
    const int32_t line = s->in_w * s->in_c;
    const int32_t rows = (s->out_h - 1) * s->stride_h + s->kernel_h;
    const int32_t size = rows * s->kernel_w * s->in_c + s->beyond;
    const int32_t room = s->in_h + s->pad_top < rows ? s->in_h + s->pad_top : rows;
    const int32_t inside = room - s->pad_top; /* rows of the image that windows reach */
    const gemm_s8_mve_shape column = {s->out_h,    s->x_step,    s->steps,     s->tail, s->out_c,
                                      s->out_zero, s->clamp_min, s->clamp_max, s->form, s->out_w * s->out_c};
    conv_strip_s8_mve_shape weaving;
    weaving.input_step = line;
    weaving.column = s->kernel_w * s->in_c;
    weaving.group = 0;
    for (int32_t n = 0; n < s->batches; ++n) {
        int clipped = 1; /* the column before leaves other bytes where padding is */
        for (int32_t ox = 0; ox < s->out_w; ++ox) {
            const int32_t first = ox * s->stride_w - s->pad_left;
            const int32_t left = first < 0 ? -first : 0;
            const int32_t end = s->in_w - first < s->kernel_w ? s->in_w - first : s->kernel_w;
            const int whole = left == 0 && end == s->kernel_w;
            if (clipped || !whole) {
                fill_mve(strip, s->in_zero, size);
            }
            clipped = !whole;
            if (end > left && inside > 0) {
                weaving.depth = (end - left) * s->in_c;
                conv_strip_s8_mve(strip + s->pad_top * weaving.column + left * s->in_c,
                                  input + (first + left) * s->in_c, inside, &weaving);
            }
            gemm(strip, packed, output + ox * s->out_c, &column);
        }
        input += s->in_h * line;
        output += s->out_h * s->out_w * s->out_c;
    }
}
