#include "fully_connected_s8_lut16_portable.h"

/* `step`, from one output's values to the next one's, is a literal */
HIL_INLINE void fully_connected_s8_lut16_quad(uint32_t *sums, const int8_t *x, const uint8_t *w, const int8_t *values,
                                              int32_t count, int32_t step)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    const int8_t *const end = x + count;
    while (x < end) {
        const int32_t u = *x++;
        const uint32_t first = w[0];
        const uint32_t second = w[1];
        a += (uint32_t)(u * values[first & 15]);
        b += (uint32_t)(u * (values + step)[first >> 4]);
        c += (uint32_t)(u * (values + 2 * step)[second & 15]);
        d += (uint32_t)(u * (values + 3 * step)[second >> 4]);
        w += 2;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

static HIL_NOINLINE uint32_t fully_connected_s8_lut16_single(const int8_t *x, const uint8_t *w,
                                                                          const int8_t *values, int32_t count)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        const uint32_t pair = w[i / 2];
        sum += (uint32_t)(x[i] * values[(i & 1) != 0 ? pair >> 4 : pair & 15]);
    }
    return sum;
}

HIL_SHARED void fully_connected_s8_lut16_portable(const int8_t *input, const uint8_t *weights, const int8_t *values,
                                                  const int32_t *records, int8_t *output,
                                                  const fully_connected_s8_lut16_portable_shape *s)
{
    const int32_t step = s->per_channel != 0 ? 16 : 0;
    for (int32_t n = 0; n < s->batches; ++n) {
        const uint8_t *w = weights;
        const int8_t *table = values;
        const int32_t *record = records;
        uint32_t sums[4];
        int32_t left = s->out_n;
        for (; left >= 4; left -= 4) {
            if (step == 0) {
                fully_connected_s8_lut16_quad(sums, input, w, table, s->in_n, 0);
            } else {
                fully_connected_s8_lut16_quad(sums, input, w, table, s->in_n, 16);
            }
            scale_s8(sums, record, s->scale.words, output, 1, 4, &s->scale);
            w += 2 * s->in_n;
            table += 4 * step;
            record += 4 * s->scale.words;
            output += 4;
        }
        for (; left > 0; --left) {
            sums[0] = fully_connected_s8_lut16_single(input, w, table, s->in_n);
            scale_s8(sums, record, s->scale.words, output, 1, 1, &s->scale);
            w += (s->in_n + 1) / 2;
            table += step;
            record += s->scale.words;
            ++output;
        }
        input += s->in_n;
    }
}
