/* See mean_s8_mve.h. */
#include "mean_s8_mve.h"

HIL_SHARED void mean_s8_mve(const int8_t *input, int8_t *output, const mean_s8_mve_shape *s)
{
    const window_sums_s8_mve_window window = {s->rows, s->columns, s->column, s->row};
    int32_t sums[16];
    for (int32_t k0 = 0; k0 < s->kept0; ++k0) {
        for (int32_t k1 = 0; k1 < s->kept1; ++k1) {
            const int8_t *x = input + k0 * s->kept_step0 + k1 * s->kept_step1;
            for (int32_t c = 0; c < s->channels; c += 16) {
                const int32_t channels = s->channels - c < 16 ? s->channels - c : 16;
                window_sums_s8_mve(x + c, sums, channels, &window);
                for (int32_t i = 0; i < channels; i += 4) {
                    const int32x4_t sum = vsubq_n_s32(vldrwq_s32(sums + i), s->zero_sum);
                    const int32x4_t scaled = hil_mve_requantize(sum, s->multiplier, s->shift);
                    const int32x4_t mean = hil_mve_clamp(vqaddq_n_s32(scaled, s->out_zero), INT8_MIN, INT8_MAX);
                    vstrbq_p_s32(output + c + i, mean, vctp32q((uint32_t)(channels - i)));
                }
            }
            output += s->channels;
        }
    }
}
