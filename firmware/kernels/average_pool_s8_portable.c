#include "average_pool_s8_portable.h"

HIL_SHARED void average_pool_s8_portable(const int8_t *input, int8_t *output, const average_pool_s8_portable_shape *s)
{
    /* read once: as far as the compiler knows, what is stored to output may change the shape */
    const int32_t channels = s->channels, clamp_min = s->clamp_min, clamp_max = s->clamp_max;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                int32_t rows = w.ky_end - w.ky_first;
                int32_t columns = w.kx_end - w.kx_first;
                const int32_t count = rows * columns, half = count / 2, step = s->in_w * channels;
                if (columns == s->in_w && rows > 0) {
                    /* whole rows are one run */
                    columns *= rows;
                    rows = 1;
                }
                const int32_t reach = columns * channels;
                for (int32_t c = 0; c < channels; ++c) {
                    const int8_t *line = w.first + c;
                    int32_t sum = 0;
                    for (int32_t row = rows; row > 0; --row) {
                        const int8_t *const end = line + reach;
                        for (const int8_t *x = line; x < end; x += channels) {
                            sum += *x;
                        }
                        line += step;
                    }
                    const int32_t mean = (sum > 0 ? sum + half : sum - half) / count;
                    *output++ = (int8_t)hil_clamp(mean, clamp_min, clamp_max);
                }
            }
        }
        input += s->in_h * s->in_w * channels;
    }
}
