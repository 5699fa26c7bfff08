#include "fully_connected_f32_portable.h"

#include "quad_f32.h"

HIL_SHARED void fully_connected_f32_portable(const float *input, const float *weights, const float *bias, float *output,
                                             float low, float high, const fully_connected_f32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        const float *w = weights, *start = bias;
        for (int32_t left = s->outputs; left > 0; left -= 4) {
            float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
            QUAD_F32_DOT(a, b, c, d, input, w, s->depth);
            const float sums[4] = {a, b, c, d};
            output = quad_f32_store(output, sums, start, left < 4 ? left : 4, low, high);
            w += 4 * s->depth;
            start += 4;
        }
        input += s->depth;
    }
}
