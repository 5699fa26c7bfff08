#include "fully_connected_s8_portable.h"

#include "quad_s8.h"

HIL_SHARED void fully_connected_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records,
                                            int8_t *output, const fully_connected_s8_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *w = weights;
        const int32_t *record = records;
        uint32_t sums[4];
        int32_t left = s->out_n;
        for (; left >= 4; left -= 4) {
            quad_s8_dot(sums, input, w, s->in_n, 4);
            scale_s8(sums, record, s->scale.words, output, 1, 4, &s->scale);
            w += 4 * s->in_n;
            record += 4 * s->scale.words;
            output += 4;
        }
        for (; left > 0; --left) {
            quad_s8_dot(sums, input, w, s->in_n, 1);
            scale_s8(sums, record, s->scale.words, output, 1, 1, &s->scale);
            w += s->in_n;
            record += s->scale.words;
            ++output;
        }
        input += s->in_n;
    }
}
