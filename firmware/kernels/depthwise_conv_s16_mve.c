#include "depthwise_conv_s16_mve.h"

#include <arm_mve.h>

HIL_INLINE int32x4_t depthwise_s16_made(int32x4_t sums, const int32_t *factors, const depthwise_conv_s16_mve_shape *s)
{
    const int32x4_t made = vrmulhq_s32(sums, vldrwq_s32(factors));
    return vminq_s32(vmaxq_s32(made, vdupq_n_s32(s->clamp_min)), vdupq_n_s32(s->clamp_max));
}

/* Eight channels of the window at (iy, ix), the even ones and the odd ones in vectors of their own */
HIL_INLINE void depthwise_s16_eight(const int16_t *input, const int8_t *weights, const int32_t *record, int16_t *output,
                                    int32_t iy, int32_t ix, mve_pred16_t lanes, const depthwise_conv_s16_mve_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h);
    const int32_t end_y = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
    const int32_t first_x = hil_first_tap(ix, s->dilation_w);
    const int32_t end_x = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    int32x4_t even = vldrwq_s32(record), odd = vldrwq_s32(record + 4);
    for (int32_t ky = first_y; ky < end_y; ++ky) {
        const int16_t *x = input + ((iy + ky * s->dilation_h) * s->in_w + ix + first_x * s->dilation_w) * s->in_c;
        const int8_t *w = weights + (ky * s->kernel_w + first_x) * s->in_c;
        for (int32_t left = end_x - first_x; left > 0; --left) {
            const int16x8_t values = vldrhq_z_s16(x, lanes), factors = vldrbq_z_s16(w, lanes);
            even = vaddq_s32(even, vmullbq_int_s16(values, factors));
            odd = vaddq_s32(odd, vmulltq_int_s16(values, factors));
            x += s->dilation_w * s->in_c;
            w += s->in_c;
        }
    }
    int16x8_t made = vdupq_n_s16(0);
    made = vmovnbq_s32(made, depthwise_s16_made(even, record + 8, s));
    made = vmovntq_s32(made, depthwise_s16_made(odd, record + 12, s));
    vstrhq_p_s16(output, made, lanes);
}

HIL_SHARED void depthwise_conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                                       const depthwise_conv_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                for (int32_t c = 0; c < s->in_c; c += 8) {
                    const mve_pred16_t lanes = vctp16q((uint32_t)(s->in_c - c));
                    depthwise_s16_eight(input + c, weights + c, records + 2 * c, output + c, iy, ix, lanes, s);
                }
                output += s->in_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
