#include "pool_s16_mve.h"

#include <arm_mve.h>

#include "requantize.h"

/* The mean of `count` values, halves away from zero. */
HIL_INLINE int32x4_t pool_s16_means(int32x4_t sums, int32_t count)
{
    int32_t each[4];
    vstrwq_s32(each, sums);
    const int32_t half = count / 2;
    for (int32_t i = 0; i < 4; ++i) {
        each[i] = (each[i] > 0 ? each[i] + half : each[i] - half) / count;
    }
    return vldrwq_s32(each);
}

/* One window of `rows` by `taps` pixels from `input` on; `averages` is a literal. */
HIL_INLINE void pool_s16_window(const int16_t *input, int16_t *output, int32_t rows, int32_t taps, int32_t averages,
                                const pool_s16_mve_shape *s)
{
    const int32_t step = s->channels, line = (s->in_w - taps) * step;
    for (int32_t c = 0; c < s->channels; c += 4) {
        const mve_pred16_t lanes = vctp32q((uint32_t)(s->channels - c));
        const int16_t *x = input + c;
        int32x4_t sofar = vdupq_n_s32(averages ? 0 : INT16_MIN);
        for (int32_t y = rows; y > 0; --y) {
            for (int32_t i = taps; i > 0; --i) {
                const int32x4_t values = vldrhq_z_s32(x, lanes);
                sofar = averages ? vaddq_s32(sofar, values) : vmaxq_s32(sofar, values);
                x += step;
            }
            x += line;
        }
        sofar = averages ? pool_s16_means(sofar, rows * taps) : sofar;
        sofar = vminq_s32(vmaxq_s32(sofar, vdupq_n_s32(s->clamp_min)), vdupq_n_s32(s->clamp_max));
        vstrhq_p_s32(output + c, sofar, lanes);
    }
}

HIL_SHARED void pool_s16_mve(const int16_t *input, int16_t *output, const pool_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const int32_t iy = oy * s->stride_h - s->pad_top, ix = ox * s->stride_w - s->pad_left;
                const int32_t top = iy > 0 ? iy : 0, left = ix > 0 ? ix : 0;
                const int32_t bottom = iy + s->kernel_h < s->in_h ? iy + s->kernel_h : s->in_h;
                const int32_t right = ix + s->kernel_w < s->in_w ? ix + s->kernel_w : s->in_w;
                const int16_t *corner = input + (top * s->in_w + left) * s->channels;
                if (s->averages) {
                    pool_s16_window(corner, output, bottom - top, right - left, 1, s);
                } else {
                    pool_s16_window(corner, output, bottom - top, right - left, 0, s);
                }
                output += s->channels;
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}
