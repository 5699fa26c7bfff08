#include "fully_connected_s16_portable.h"

#include "quad_s16.h"

HIL_SHARED void fully_connected_s16_portable(const int16_t *input, const int8_t *weights, const int64_t *biases,
                                             const int32_t *factors, int16_t *output,
                                             const fully_connected_s16_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        const int8_t *w = weights;
        const int64_t *b = biases;
        const int32_t *f = factors;
        for (int32_t left = s->outputs; left > 0; left -= 4) {
            int64_t sums[4] = {0, 0, 0, 0};
            quad_s16_dot(sums, input, w, s->depth);
            output = quad_s16_store(output, sums, b, f, left < 4 ? left : 4, &s->scale);
            w += 4 * s->depth;
            b += 4;
            f += 8;
        }
        input += s->depth;
    }
}
