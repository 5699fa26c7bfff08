/* One output channel of a depthwise convolution: shared by the depthwise kernels. */
#ifndef HIL_KERNELS_DEPTHWISE_CHANNEL_S8_H
#define HIL_KERNELS_DEPTHWISE_CHANNEL_S8_H

#include "requantize.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, multiplier;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero, out_zero, clamp_min, clamp_max;
} depthwise_s8_shape;

/* Input pixels are in_step bytes apart, output pixels and weights out_step bytes apart. */
HIL_INLINE void depthwise_channel_s8(const depthwise_s8_shape *s, const int8_t *x, int32_t in_step, const int8_t *w,
                                     int32_t bias, int32_t multiplier, int32_t shift, int8_t *y, int32_t out_step)
{
    for (int32_t oy = 0; oy < s->out_h; ++oy) {
        const int32_t iy = oy * s->stride_h - s->pad_top;
        const int32_t ky_first = hil_first_tap(iy, s->dilation_h);
        const int32_t ky_end = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h);
        for (int32_t ox = 0; ox < s->out_w; ++ox) {
            const int32_t ix = ox * s->stride_w - s->pad_left;
            const int32_t kx_first = hil_first_tap(ix, s->dilation_w);
            const int32_t kx_end = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
            uint32_t acc = (uint32_t)bias;
            for (int32_t ky = ky_first; ky < ky_end; ++ky) {
                const int32_t line = (iy + ky * s->dilation_h) * s->in_w;
                for (int32_t kx = kx_first; kx < kx_end; ++kx) {
                    const int32_t value = x[(line + ix + kx * s->dilation_w) * in_step] - s->in_zero;
                    acc += (uint32_t)(value * w[(ky * s->kernel_w + kx) * out_step]);
                }
            }
            const int32_t scaled = hil_requantize((int32_t)acc, multiplier, shift);
            *y = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), s->clamp_min, s->clamp_max);
            y += out_step;
        }
    }
}

#endif
