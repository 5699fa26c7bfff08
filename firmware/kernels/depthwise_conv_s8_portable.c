#include "depthwise_conv_s8_portable.h"

#include "window.h"

typedef struct {
    uint32_t a, b, c, d;
} depthwise_sums;

/* the part of an output pixel's window that lies inside the image */
typedef struct {
    int32_t row, column, ky_first, ky_end, kx_first, kx_end;
} depthwise_window;

/* Adds up taps of a row, x and w one tap further each. Four output channels come from as many input channels, or, where
 * `shared`, from one. */
HIL_INLINE void depthwise_taps(depthwise_sums *sums, const int8_t *x, int32_t x_step, const int8_t *w, int32_t w_step,
                               int32_t count, int32_t channels, int32_t shared)
{
    depthwise_sums t = *sums;
    for (; count > 0; --count) {
        t.a += (uint32_t)(x[0] * w[0]);
        if (channels == 4) {
            t.b += (uint32_t)(x[shared ? 0 : 1] * w[1]);
            t.c += (uint32_t)(x[shared ? 0 : 2] * w[2]);
            t.d += (uint32_t)(x[shared ? 0 : 3] * w[3]);
        }
        x += x_step;
        w += w_step;
    }
    *sums = t;
}

/* taps in the padding: as if each input were the zero point */
HIL_INLINE void depthwise_padding(depthwise_sums *sums, int32_t zero, const int8_t *w, int32_t w_step, int32_t count,
                                  int32_t channels)
{
    for (; count > 0; --count) {
        sums->a += (uint32_t)(zero * w[0]);
        if (channels == 4) {
            sums->b += (uint32_t)(zero * w[1]);
            sums->c += (uint32_t)(zero * w[2]);
            sums->d += (uint32_t)(zero * w[3]);
        }
        w += w_step;
    }
}

/* `channels` output channels from oc on, from input channel c on */
HIL_INLINE void depthwise_channels(const depthwise_conv_s8_portable_shape *s, const int8_t *image, const int8_t *weights,
                                   const int32_t *records, int8_t *output, int32_t c, int32_t oc,
                                   const depthwise_window *v, int32_t channels, int32_t shared)
{
    const int32_t out_c = s->in_c * s->multiplier;
    const int32_t x_step = s->dilation_w * s->in_c;
    const int32_t inside = v->kx_end - v->kx_first;
    const int8_t *w = weights + oc;
    depthwise_sums sums = {0, 0, 0, 0};
    for (int32_t ky = 0; ky < s->kernel_h; ++ky) {
        if (ky < v->ky_first || ky >= v->ky_end || inside <= 0) {
            depthwise_padding(&sums, s->in_zero, w, out_c, s->kernel_w, channels);
        } else {
            const int32_t pixel = (v->row + ky * s->dilation_h) * s->in_w + v->column + v->kx_first * s->dilation_w;
            const int8_t *x = image + pixel * s->in_c + c;
            depthwise_padding(&sums, s->in_zero, w, out_c, v->kx_first, channels);
            depthwise_taps(&sums, x, x_step, w + v->kx_first * out_c, out_c, inside, channels, shared);
            depthwise_padding(&sums, s->in_zero, w + v->kx_end * out_c, out_c, s->kernel_w - v->kx_end, channels);
        }
        w += s->kernel_w * out_c;
    }
    const uint32_t all[4] = {sums.a, sums.b, sums.c, sums.d};
    scale_s8(all, records + oc * s->scale.words, s->scale.words, output + oc, 1, channels, &s->scale);
}

HIL_SHARED void depthwise_conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records,
                                           int8_t *output, const depthwise_conv_s8_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            depthwise_window v;
            v.row = oy * s->stride_h - s->pad_top;
            v.ky_first = hil_first_tap(v.row, s->dilation_h);
            v.ky_end = hil_end_tap(v.row, s->dilation_h, s->kernel_h, s->in_h);
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                v.column = ox * s->stride_w - s->pad_left;
                v.kx_first = hil_first_tap(v.column, s->dilation_w);
                v.kx_end = hil_end_tap(v.column, s->dilation_w, s->kernel_w, s->in_w);
                if (s->multiplier == 1) {
                    int32_t c = 0;
                    for (; c + 4 <= s->in_c; c += 4) {
                        depthwise_channels(s, input, weights, records, output, c, c, &v, 4, 0);
                    }
                    for (; c < s->in_c; ++c) {
                        depthwise_channels(s, input, weights, records, output, c, c, &v, 1, 1);
                    }
                } else {
                    int32_t oc = 0;
                    for (int32_t c = 0; c < s->in_c; ++c) {
                        const int32_t end = oc + s->multiplier;
                        for (; oc + 4 <= end; oc += 4) {
                            depthwise_channels(s, input, weights, records, output, c, oc, &v, 4, 1);
                        }
                        for (; oc < end; ++oc) {
                            depthwise_channels(s, input, weights, records, output, c, oc, &v, 1, 1);
                        }
                    }
                }
                output += s->in_c * s->multiplier;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
