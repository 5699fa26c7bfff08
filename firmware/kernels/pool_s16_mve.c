#include "pool_s16_mve.h"

#include <arm_mve.h>

/* How to divide by `count`, 2 to 2^14 - 1, with 2^l the largest power of two in it: by 2^(31 + l) / count, rounded up, of whose
 * products with sums of up to (2^15 + 1/2) * count the upper bits are exact, since (2^15 + 1/2) * count^2 < 2^(31 + l). */
typedef struct {
    uint32_t factor;
    int32_t half, shift;
} pool_s16_divisor;

HIL_INLINE pool_s16_divisor pool_s16_divide_by(uint32_t count)
{
    const int32_t log = 31 - __builtin_clz(count);
    const uint32_t whole = (UINT32_C(1) << 31) / count, rest = ((UINT32_C(1) << 31) % count) << log;
    const pool_s16_divisor made = {(whole << log) + (rest + count - 1) / count, (int32_t)(count / 2), 1 - log};
    return made;
}

/* The mean of sums, halves away from zero. */
HIL_INLINE int32x4_t pool_s16_means(int32x4_t sums, const pool_s16_divisor *by)
{
    const uint32x4_t sizes = vaddq_n_u32(vreinterpretq_u32_s32(vabsq_s32(sums)), (uint32_t)by->half);
    const uint32x4_t found = vshlq_r_u32(vmulhq_u32(sizes, vdupq_n_u32(by->factor)), by->shift);
    const int32x4_t made = vreinterpretq_s32_u32(found);
    return vnegq_m_s32(made, made, vcmpltq_n_s32(sums, 0));
}

/* One window of `rows` by `taps` pixels from `input` on; `averages` is a literal. */
HIL_INLINE void pool_s16_window(const int16_t *input, int16_t *output, int32_t rows, int32_t taps, int32_t averages,
                                const pool_s16_mve_shape *s)
{
    const int32_t step = s->channels, line = (s->in_w - taps) * step, count = rows * taps;
    const pool_s16_divisor by = pool_s16_divide_by(averages && count > 0 ? (uint32_t)count : 1);
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
        sofar = averages && count > 1 ? pool_s16_means(sofar, &by) : sofar;
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
