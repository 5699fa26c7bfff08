/* See average_pool_s8_mve.h. */
#include "average_pool_s8_mve.h"

/* Sums to means of `count` elements, up to 16 channels. With r = floor(2^32 / count) + 1 the high word of n * r is n
 * / count: n * (r * count - 2^32) < 2^32, as n is at most 128.5 * count and count less than 5700. Division by 1 has
 * no such r: (n + 1) * (2^32 - 1) / 2^32 is n. */
HIL_LOCAL void divide(const int32_t *sums, int32_t count, int8_t *output, int32_t channels, const pool_s8_shape *s)
{
    const uint32_t reciprocal = count == 1 ? UINT32_MAX : UINT32_MAX / (uint32_t)count + 1;
    const int32_t half = count == 1 ? 1 : count / 2;
    for (int32_t c = 0; c < channels; c += 4) {
        const int32x4_t sum = vldrwq_s32(sums + c);
        const uint32x4_t n = vreinterpretq_u32_s32(vaddq_n_s32(vabsq_s32(sum), half));
        const int32x4_t size = vreinterpretq_s32_u32(vmulhq_u32(n, vdupq_n_u32(reciprocal)));
        const int32x4_t mean = vnegq_m_s32(size, size, vcmpltq_n_s32(sum, 0));
        vstrbq_p_s32(output + c, hil_mve_clamp(mean, s->clamp_min, s->clamp_max), vctp32q((uint32_t)(channels - c)));
    }
}

HIL_SHARED void average_pool_s8_mve(const int8_t *input, int8_t *output, const average_pool_s8_mve_shape *s)
{
    int32_t sums[16];
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                const window_sums_s8_mve_window window = {w.ky_end - w.ky_first, w.kx_end - w.kx_first, s->channels,
                                                          s->in_w * s->channels};
                for (int32_t c = 0; c < s->channels; c += 16) {
                    const int32_t channels = s->channels - c < 16 ? s->channels - c : 16;
                    window_sums_s8_mve(w.first + c, sums, channels, &window);
                    divide(sums, window.rows * window.columns, output + c, channels, s);
                }
                output += s->channels;
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}
