#include "fully_connected_s16_dsp.h"

#include "quad_s16_dsp.h"
#include "scale_s16.h"

HIL_SHARED void fully_connected_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records,
                                        int16_t *output, const fully_connected_s16_dsp_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        const int8_t *w = (const int8_t *)weights;
        const int32_t *record = records;
        for (int32_t left = s->outputs; left > 0; left -= 4) {
            uint32_t sums[4];
            quad_s16_dsp_dot(sums, record, input, w, s->depth);
            for (int32_t i = 0; i < (left < 4 ? left : 4); ++i) {
                *output++ = scale_s16((int32_t)sums[i], record[4 + i], s->clamp_min, s->clamp_max);
            }
            w += s->stride;
            record += 8;
        }
        input += s->depth;
    }
}
