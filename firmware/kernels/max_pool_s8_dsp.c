#include "max_pool_s8_dsp.h"

#include "minmax_s8_dsp.h"
#include "pool_s8_dsp.h"

/* the largest of a window's four channels from `x` on */
HIL_INLINE uint32_t max_pool_s8_dsp_best(const int8_t *x, int32_t rows, int32_t columns, int32_t row_step, int32_t step)
{
    uint32_t best;
    if (columns == 2) {
        best = hil_max_s8x4(pool_s8_dsp_load(x), pool_s8_dsp_load(x + step));
        while (--rows > 0) {
            x += row_step;
            best = hil_max_s8x4(best, hil_max_s8x4(pool_s8_dsp_load(x), pool_s8_dsp_load(x + step)));
        }
        return best;
    }
    best = UINT32_C(0x80808080);
    for (; rows > 0; --rows) {
        const int8_t *tap = x;
        for (int32_t left = columns; left > 0; --left) {
            best = hil_max_s8x4(best, pool_s8_dsp_load(tap));
            tap += step;
        }
        x += row_step;
    }
    return best;
}

HIL_SHARED void max_pool_s8_dsp(const int8_t *input, int8_t *output, const max_pool_s8_dsp_shape *s)
{
    const uint32_t low = (uint32_t)(s->clamp_min & 0xff) * UINT32_C(0x01010101);
    const uint32_t high = (uint32_t)(s->clamp_max & 0xff) * UINT32_C(0x01010101);
    const int32_t clamped = s->clamp_min > INT8_MIN || s->clamp_max < INT8_MAX;
    const int32_t channels = s->channels, row_step = s->in_w * channels;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                const int32_t rows = w.ky_end - w.ky_first, columns = w.kx_end - w.kx_first;
                for (int32_t c = 0; c < channels; c += 4) {
                    /* the last four channels may overlap the four before */
                    const int32_t at = c + 4 > channels ? channels - 4 : c;
                    uint32_t best = max_pool_s8_dsp_best(w.first + at, rows, columns, row_step, channels);
                    if (clamped) {
                        best = hil_min_s8x4(hil_max_s8x4(best, low), high);
                    }
                    memcpy(output + at, &best, 4);
                }
                output += channels;
            }
        }
        input += s->in_h * row_step;
    }
}
