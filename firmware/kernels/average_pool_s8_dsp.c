#include "average_pool_s8_dsp.h"

#include "pool_s8_dsp.h"

HIL_INLINE int8_t average_pool_s8_dsp_mean(const pool_s8_shape *s, int32_t sum, int32_t count)
{
    const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
    return (int8_t)hil_clamp(mean, s->clamp_min, s->clamp_max);
}

HIL_SHARED void average_pool_s8_dsp(const int8_t *input, int8_t *output, const average_pool_s8_dsp_shape *s)
{
    const int32_t row_step = s->in_w * s->channels;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            for (int32_t ox = 0; ox < s->out_w; ++ox) {
                const pool_s8_window w = pool_s8_window_at(s, input, oy, ox);
                int32_t rows = w.ky_end - w.ky_first;
                int32_t columns = w.kx_end - w.kx_first;
                if (columns == s->in_w && rows * columns <= HIL_POOL_DSP_COLUMNS) {
                    /* whole rows follow one another */
                    columns *= rows;
                    rows = 1;
                }
                for (int32_t c = 0; c < s->channels; c += 4) {
                    /* the last four channels may overlap the four before */
                    const int32_t at = c + 4 > s->channels ? s->channels - 4 : c;
                    const pool_s8_dsp_sums sums = pool_s8_dsp_sum(w.first + at, rows, row_step, columns, s->channels);
                    output[at] = average_pool_s8_dsp_mean(s, sums.a, rows * columns);
                    output[at + 1] = average_pool_s8_dsp_mean(s, sums.b, rows * columns);
                    output[at + 2] = average_pool_s8_dsp_mean(s, sums.c, rows * columns);
                    output[at + 3] = average_pool_s8_dsp_mean(s, sums.d, rows * columns);
                }
                output += s->channels;
            }
        }
        input += s->in_h * row_step;
    }
}
