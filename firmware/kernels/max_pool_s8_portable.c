#include "max_pool_s8_portable.h"

HIL_SHARED void max_pool_s8_portable(const int8_t *input, int8_t *output, const max_pool_s8_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                for (int32_t c = 0; c < s->channels; ++c) {
                    const int8_t *line = w.first + c;
                    int32_t best = INT8_MIN;
                    for (int32_t ky = w.ky_first; ky < w.ky_end; ++ky) {
                        const int8_t *x = line;
                        const int8_t *const end = x + (w.kx_end - w.kx_first) * s->channels;
                        while (x < end) {
                            best = *x > best ? *x : best;
                            x += s->channels;
                        }
                        line += s->in_w * s->channels;
                    }
                    *output++ = (int8_t)hil_clamp(best, s->clamp_min, s->clamp_max);
                }
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}
