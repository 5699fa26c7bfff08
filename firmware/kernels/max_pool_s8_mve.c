/* See max_pool_s8_mve.h. */
#include "max_pool_s8_mve.h"

#include "max_pool_pixel_s8_mve.h"

HIL_SHARED void max_pool_s8_mve(const int8_t *input, int8_t *output, const max_pool_s8_mve_shape *s)
{
    max_pool_pixel_s8_mve_window window = {0, 0, s->channels, s->in_w * s->channels, s->clamp_min, s->clamp_max};
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                window.rows = w.ky_end - w.ky_first;
                window.columns = w.kx_end - w.kx_first;
                max_pool_pixel_s8_mve(w.first, output, s->channels, &window);
                output += s->channels;
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}
