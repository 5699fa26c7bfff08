#include "fully_connected_s16_long_dsp.h"

#include "quad_s16_dsp.h"

HIL_SHARED void fully_connected_s16_long_dsp(const int16_t *input, const int32_t *weights, const int64_t *biases,
                                             const int32_t *factors, int16_t *output,
                                             const fully_connected_s16_long_dsp_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        const int8_t *w = (const int8_t *)weights;
        for (int32_t first = 0; first < s->outputs; first += 4) {
            int64_t totals[4] = {0, 0, 0, 0};
            for (int32_t tap = 0; tap < s->depth; tap += HIL_S16_TAPS) {
                const int32_t count = s->depth - tap < HIL_S16_TAPS ? s->depth - tap : HIL_S16_TAPS;
                int32_t sums[4];
                quad_s16_dsp_dot(sums, 0, input + tap, w + 4 * tap, count);
                for (int32_t i = 0; i < 4; ++i) {
                    totals[i] += sums[i];
                }
            }
            const int32_t left = s->outputs - first;
            output = quad_s16_store(output, totals, biases + first, factors + 2 * first, left < 4 ? left : 4, &s->scale);
            w += s->stride;
        }
        input += s->depth;
    }
}
