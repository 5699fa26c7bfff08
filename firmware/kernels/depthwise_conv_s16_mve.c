#include "depthwise_conv_s16_mve.h"

#include <arm_mve.h>

HIL_INLINE int32x4_t depthwise_s16_made(int32x4_t sums, const int32_t *factors, const depthwise_conv_s16_mve_shape *s)
{
    const int32x4_t made = vrmulhq_s32(sums, vldrwq_s32(factors));
    return vminq_s32(vmaxq_s32(made, vdupq_n_s32(s->clamp_min)), vdupq_n_s32(s->clamp_max));
}

typedef struct {
    int32_t rows, columns;             /* taps inside of the image */
    int32_t line, step, weights_line;  /* elements between them */
} depthwise_s16_window;

/* Eight channels of a window, the even ones and the odd ones in vectors of their own; `spread`, a literal: inputs lie at
 * `places` */
HIL_INLINE void depthwise_s16_eight(const int16_t *input, const int8_t *weights, const int32_t *record, int16_t *output,
                                    mve_pred16_t lanes, const depthwise_s16_window *t, const depthwise_conv_s16_mve_shape *s,
                                    int32_t spread, uint16x8_t places)
{
    int32x4_t even = vldrwq_s32(record), odd = vldrwq_s32(record + 4);
    for (int32_t ky = t->rows; ky > 0; --ky) {
        const int16_t *x = input;
        const int8_t *w = weights;
        for (int32_t left = t->columns; left > 0; --left) {
            const int16x8_t factors = vldrbq_z_s16(w, lanes);
            const int16x8_t values =
                spread ? vldrhq_gather_shifted_offset_z_s16(x, places, lanes) : vldrhq_z_s16(x, lanes);
            even = vaddq_s32(even, vmullbq_int_s16(values, factors));
            odd = vaddq_s32(odd, vmulltq_int_s16(values, factors));
            x += t->step;
            w += s->out_c;
        }
        input += t->line;
        weights += t->weights_line;
    }
    int16x8_t made = vdupq_n_s16(0);
    made = vmovnbq_s32(made, depthwise_s16_made(even, record + 8, s));
    made = vmovntq_s32(made, depthwise_s16_made(odd, record + 12, s));
    vstrhq_p_s16(output, made, lanes);
}

/* All channels of the window at (iy, ix) */
HIL_INLINE void depthwise_s16_pixel(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                                    int32_t iy, int32_t ix, const depthwise_conv_s16_mve_shape *s)
{
    const int32_t first_y = hil_first_tap(iy, s->dilation_h), first_x = hil_first_tap(ix, s->dilation_w);
    depthwise_s16_window t;
    t.rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - first_y;
    t.columns = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w) - first_x;
    t.line = s->dilation_h * s->in_w * s->in_c;
    t.step = s->dilation_w * s->in_c;
    t.weights_line = s->kernel_w * s->out_c;
    input += ((iy + first_y * s->dilation_h) * s->in_w + ix + first_x * s->dilation_w) * s->in_c;
    weights += (first_y * s->kernel_w + first_x) * s->out_c;
    if (s->reciprocal == 0) {
        for (int32_t c = 0; c < s->out_c; c += 8) {
            const mve_pred16_t lanes = vctp16q((uint32_t)(s->out_c - c));
            depthwise_s16_eight(input + c, weights + c, records + 2 * c, output + c, lanes, &t, s, 0, vdupq_n_u16(0));
        }
        return;
    }
    for (int32_t c = 0; c < s->out_c; c += 8) {
        const mve_pred16_t lanes = vctp16q((uint32_t)(s->out_c - c));
        const uint16x8_t own = vidupq_n_u16((uint32_t)c, 1);
        const uint16x8_t places = vmulhq_u16(own, vdupq_n_u16((uint16_t)s->reciprocal));
        depthwise_s16_eight(input, weights + c, records + 2 * c, output + c, lanes, &t, s, 1, places);
    }
}

HIL_SHARED void depthwise_conv_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                                       const depthwise_conv_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                depthwise_s16_pixel(input, weights, records, output, oy * s->stride_h - s->pad_top,
                                    ox * s->stride_w - s->pad_left, s);
                output += s->out_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
