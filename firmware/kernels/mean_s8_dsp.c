#include "mean_s8_dsp.h"

#include "pool_s8_dsp.h"
#include "requantize.h"

HIL_INLINE int8_t mean_s8_dsp_output(const mean_s8_dsp_shape *s, int32_t sum)
{
    const int32_t scaled = hil_requantize(sum - s->zero_sum, s->multiplier, s->shift);
    return (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), INT8_MIN, INT8_MAX);
}

HIL_SHARED void mean_s8_dsp(const int8_t *input, int8_t *output, const mean_s8_dsp_shape *s)
{
    /* rows of four elements: their sums fit int16 for long, and any count is rows of four and a few more */
    const int32_t columns = s->count < 4 ? s->count : 4;
    const int32_t rows = s->count / columns;
    const int32_t rest = s->count - rows * columns;
    for (int32_t n = 0; n < s->outer; ++n) {
        for (int32_t c = 0; c < s->inner; c += 4) {
            /* the last four may overlap the four before */
            const int32_t at = c + 4 > s->inner ? s->inner - 4 : c;
            pool_s8_dsp_sums sums = pool_s8_dsp_sum(input + at, rows, columns * s->inner, columns, s->inner);
            if (rest > 0) {
                const int8_t *x = input + rows * columns * s->inner + at;
                const pool_s8_dsp_sums more = pool_s8_dsp_sum(x, 1, 0, rest, s->inner);
                sums.a += more.a;
                sums.b += more.b;
                sums.c += more.c;
                sums.d += more.d;
            }
            output[at] = mean_s8_dsp_output(s, sums.a);
            output[at + 1] = mean_s8_dsp_output(s, sums.b);
            output[at + 2] = mean_s8_dsp_output(s, sums.c);
            output[at + 3] = mean_s8_dsp_output(s, sums.d);
        }
        input += s->count * s->inner;
        output += s->inner;
    }
}
