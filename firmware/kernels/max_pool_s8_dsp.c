#include "max_pool_s8_dsp.h"

#include "minmax_s8_dsp.h"
#include "pool_s8_dsp.h"

HIL_SHARED void max_pool_s8_dsp(const int8_t *input, int8_t *output, const max_pool_s8_dsp_shape *s)
{
    const uint32_t low = (uint32_t)(s->clamp_min & 0xff) * UINT32_C(0x01010101);
    const uint32_t high = (uint32_t)(s->clamp_max & 0xff) * UINT32_C(0x01010101);
    const int32_t row_step = s->in_w * s->channels;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                for (int32_t c = 0; c < s->channels; c += 4) {
                    /* the last four channels may overlap the four before */
                    const int32_t at = c + 4 > s->channels ? s->channels - 4 : c;
                    const int8_t *line = w.first + at;
                    uint32_t best = UINT32_C(0x80808080);
                    for (int32_t ky = w.ky_first; ky < w.ky_end; ++ky) {
                        const int8_t *x = line;
                        for (int32_t kx = w.kx_first; kx < w.kx_end; ++kx) {
                            best = hil_max_s8x4(best, pool_s8_dsp_load(x));
                            x += s->channels;
                        }
                        line += row_step;
                    }
                    best = hil_min_s8x4(hil_max_s8x4(best, low), high);
                    memcpy(output + at, &best, 4);
                }
                output += s->channels;
            }
        }
        input += s->in_h * row_step;
    }
}
