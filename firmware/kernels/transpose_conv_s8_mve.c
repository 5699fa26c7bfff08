/* See transpose_conv_s8_mve.h. */
#include "transpose_conv_s8_mve.h"

#include "conv_weave_s8_mve.h"

/* the outputs of all phases whose windows are row `row` of the strip's */
HIL_LOCAL void phases(const int32_t *packed, int8_t *output, const int8_t *strip, int32_t row, int32_t column,
                      const transpose_conv_s8_mve_shape *s, gemm_s8_mve_shape *products, gemm_s8_mve_function *gemm)
{
    const int32_t out_c = s->conv.out_c, first = s->left / s->stride_w * s->stride_w - s->left;
    for (int32_t phase = 0; phase < s->stride_h; ++phase) {
        const int32_t y = row * s->stride_h + phase - s->top;
        for (int32_t x = first; x < first + s->stride_w; ++x) {
            const int32_t skipped = x < 0 ? 1 : 0, begin = x + skipped * s->stride_w;
            if (y >= 0 && y < s->out_h && begin < s->out_w) {
                products->pixels = (s->out_w - begin + s->stride_w - 1) / s->stride_w;
                gemm(strip + skipped * column, packed, output + (y * s->out_w + begin) * out_c, products);
            }
            packed += s->conv.packed_step;
        }
    }
}

HIL_SHARED void transpose_conv_s8_mve_rows(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                           const transpose_conv_s8_mve_shape *s, gemm_s8_mve_function *gemm)
{
    int8_t padding[64];
    conv_strip_s8_mve_shape weaving;
    const conv_parts_s8_mve_shape *c = &s->conv;
    gemm_s8_mve_shape products = {0,           c->x_step,    c->steps,     c->tail, c->out_c,
                                  c->out_zero, c->clamp_min, c->clamp_max, c->form, s->stride_w * c->out_c};
    const int32_t first = s->left / s->stride_w, last = (s->left + s->out_w - 1) / s->stride_w;
    const int32_t columns = last - first + c->kernel_w;
    fill_mve(padding, c->in_zero, (int32_t)sizeof padding);
    conv_strip_s8_mve_prepare(&weaving, c->in_c, c->kernel_h);
    if (c->beyond > 0) {
        /* meets weights of zero, but nothing is read that was never written */
        fill_mve(strip + columns * weaving.column, c->in_zero, c->beyond);
    }
    for (int32_t n = 0; n < c->batches; ++n) {
        for (int32_t row = s->top / s->stride_h; row <= (s->top + s->out_h - 1) / s->stride_h; ++row) {
            conv_weave_s8_mve(c, &weaving, input, strip, padding, row, first - c->kernel_w + 1, columns);
            phases(packed, output, strip, row, weaving.column, s, &products, gemm);
        }
        input += c->in_h * c->in_w * c->in_c;
        output += s->out_h * s->out_w * c->out_c;
    }
}
