#include "depthwise_conv_s8_dsp.h"

#include "quad_requant_dsp.h"
#include "window.h"

/* sums[i] += x[i] * w[i] for the four int8 of both words, x first raised by minus_zero */
HIL_INLINE void depthwise_conv_s8_dsp_tap(int32_t *a, int32_t *b, int32_t *c, int32_t *d, uint32_t x, uint32_t w,
                                          int32_t minus_zero)
{
    uint32_t even, odd, taps;
    __asm__("sxtab16 %0, %1, %2" : "=r"(even) : "r"(minus_zero), "r"(x));
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(odd) : "r"(minus_zero), "r"(x));
    __asm__("sxtb16 %0, %1" : "=r"(taps) : "r"(w));
    __asm__("smlabb %0, %1, %2, %0" : "+r"(*a) : "r"(even), "r"(taps));
    __asm__("smlatt %0, %1, %2, %0" : "+r"(*c) : "r"(even), "r"(taps));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(taps) : "r"(w));
    __asm__("smlabb %0, %1, %2, %0" : "+r"(*b) : "r"(odd), "r"(taps));
    __asm__("smlatt %0, %1, %2, %0" : "+r"(*d) : "r"(odd), "r"(taps));
}

HIL_SHARED void depthwise_conv_s8_dsp(const int8_t *input, const int32_t *packed, int8_t *output,
                                      const depthwise_conv_s8_dsp_shape *s)
{
    const int32_t row_step = s->dilation_h * s->in_w * s->in_c;
    const int32_t step = s->dilation_w * s->in_c;
    const int32_t minus_zero = s->minus_zero;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            const int32_t ky_first = hil_first_tap(iy, s->dilation_h);
            const int32_t rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - ky_first;
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                const int32_t kx_first = hil_first_tap(ix, s->dilation_w);
                const int32_t columns = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w) - kx_first;
                const int32_t first = ((iy + ky_first * s->dilation_h) * s->in_w + ix + kx_first * s->dilation_w) * s->in_c;
                const int32_t *group = packed;
                for (int32_t c = 0; c < s->in_c; c += 4) {
                    /* the last four channels may overlap the four before */
                    const int32_t at = c + 4 > s->in_c ? s->in_c - 4 : c;
                    const int8_t *line = input + first + at;
                    const int32_t *taps = group + ky_first * s->kernel_w + kx_first;
                    int32_t a = 0, b = 0, e = 0, d = 0;
                    for (int32_t row = rows; row > 0; --row) {
                        const int8_t *x = line;
                        const int32_t *const end = taps + columns;
                        for (const int32_t *w = taps; w < end;) {
                            uint32_t four;
                            memcpy(&four, x, 4);
                            x += step;
                            depthwise_conv_s8_dsp_tap(&a, &b, &e, &d, four, (uint32_t)*w++, minus_zero);
                        }
                        line += row_step;
                        taps += s->kernel_w;
                    }
                    group += s->kernel_h * s->kernel_w;
                    group += quad_requant_dsp(output + at, group, a, b, e, d);
                }
                output += s->in_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
