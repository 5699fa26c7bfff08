#include "fully_connected_s16_mve.h"

#include "quad_s16_mve.h"

HIL_SHARED void fully_connected_s16_mve(const int16_t *input, const int8_t *weights, const int32_t *records, int16_t *output,
                                        const fully_connected_s16_mve_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        const int8_t *w = weights;
        const int32_t *record = records;
        for (int32_t left = s->outputs; left > 0; left -= 4) {
            int32_t sums[4] = {record[0], record[1], record[2], record[3]};
            const int32_t count = left < 4 ? left : 4;
            quad_s16_mve_dot(sums, input, w, s->depth, s->depth);
            quad_s16_mve_store(output, sums, record + 4, count, s->clamp_min, s->clamp_max);
            output += count;
            w += 4 * s->depth;
            record += 8;
        }
        input += s->depth;
    }
}
