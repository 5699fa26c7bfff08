/* See conv_parts_s8_mve.h. */
#include "conv_parts_s8_mve.h"

#include "conv_weave_s8_mve.h"

/* the outputs of a part in output row oy; `output` is the first of them, `phase` its column */
HIL_LOCAL void part(const int8_t *image, const int32_t *packed, int8_t *output, int8_t *strip, const int8_t *padding,
                    const conv_parts_s8_mve_shape *s, conv_strip_s8_mve_shape *weaving, gemm_s8_mve_shape *products,
                    gemm_s8_mve_function *gemm, int32_t oy, int32_t phase)
{
    const int32_t count = (s->out_w - phase + s->phases - 1) / s->phases;
    const int32_t first = phase * s->stride_w - s->pad_left;
    if (s->tile_w == 0) {
        products->pixels = count;
        gemm(image + (oy * s->stride_h * s->in_w + first) * s->in_c, packed, output, products);
        return;
    }
    for (int32_t ox = 0; ox < count; ox += s->tile_w) {
        products->pixels = count - ox < s->tile_w ? count - ox : s->tile_w;
        conv_weave_s8_mve(s, weaving, image, strip, padding, oy, first + ox * s->stride_p * s->dilation_w,
                          (products->pixels - 1) * s->stride_p + s->kernel_w);
        gemm(strip, packed, output, products);
        output += products->pixels * products->out_step;
    }
}

HIL_SHARED void conv_parts_s8_mve_rows(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                       const conv_parts_s8_mve_shape *s, gemm_s8_mve_function *gemm)
{
    int8_t padding[64];
    conv_strip_s8_mve_shape weaving;
    const int32_t depth = s->in_c / s->groups, pixel = s->out_c * s->groups;
    gemm_s8_mve_shape products = {0,           s->x_step,    s->steps,     s->tail, s->out_c,
                                  s->out_zero, s->clamp_min, s->clamp_max, s->form, s->phases * pixel};
    if (s->tile_w > 0) {
        fill_mve(padding, s->in_zero, (int32_t)sizeof padding);
        conv_strip_s8_mve_prepare(&weaving, depth, s->kernel_h);
        if (s->groups > 1 || s->dilation_w > 1) {
            weaving.group = 0; /* the columns that are woven do not follow one another */
        }
        if (s->beyond > 0) {
            /* meets weights of zero, but nothing is read that was never written */
            fill_mve(strip + ((s->tile_w - 1) * s->stride_p + s->kernel_w) * weaving.column, s->in_zero, s->beyond);
        }
    }
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t g = 0; g < s->groups; ++g) {
                for (int32_t phase = 0; phase < s->phases && phase < s->out_w; ++phase) {
                    part(input + g * depth, packed + g * s->packed_step, output + phase * pixel + g * s->out_c, strip,
                         padding, s, &weaving, &products, gemm, oy, phase);
                }
            }
            output += s->out_w * pixel;
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
