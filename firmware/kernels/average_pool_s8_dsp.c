#include "average_pool_s8_dsp.h"

#include "pool_s8_dsp.h"

/* How sums of `count` elements are divided: the mean, rounded half away from zero, is (4 * sum + 2 * count + 1, or - 1 of a
 * negative sum) / (4 * count), rounded down. The last term alone decides at ties, and nowhere else; the dividend is odd,
 * so a reciprocal of 32 bits gives the same for counts below 1448. */
typedef struct {
    int32_t addend, factor;
} average_pool_s8_dsp_division;

HIL_INLINE int32_t average_pool_s8_dsp_mean(int32_t sum, average_pool_s8_dsp_division by)
{
    const int32_t doubled = 2 * sum + (sum >> 31);
    return (int32_t)((int64_t)(2 * doubled + by.addend) * by.factor >> 32);
}

/* sums of a window of at most HIL_POOL_DSP_COLUMNS elements: bytes 0 and 2 in `even`, 1 and 3 in `odd` */
HIL_INLINE void average_pool_s8_dsp_small(const int8_t *line, int32_t rows, int32_t row_step, int32_t columns,
                                          int32_t step, uint32_t *even, uint32_t *odd)
{
    *even = *odd = 0;
    if (columns == 2) {
        do {
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(line));
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(line + step));
            line += row_step;
        } while (--rows > 0);
        return;
    }
    do {
        const int8_t *x = line;
        int32_t left = columns;
        for (; left >= 4; left -= 4) {
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(x));
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(x + step));
            x += 2 * step;
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(x));
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(x + step));
            x += 2 * step;
        }
        for (; left > 0; --left) {
            pool_s8_dsp_add(even, odd, pool_s8_dsp_load(x));
            x += step;
        }
        line += row_step;
    } while (--rows > 0);
}

HIL_INLINE pool_s8_dsp_sums average_pool_s8_dsp_means(const int8_t *first, int32_t rows, int32_t row_step,
                                                      int32_t columns, int32_t step, average_pool_s8_dsp_division by)
{
    uint32_t even, odd;
    average_pool_s8_dsp_small(first, rows, row_step, columns, step, &even, &odd);
    const pool_s8_dsp_sums means = {
        average_pool_s8_dsp_mean((int16_t)even, by), average_pool_s8_dsp_mean((int16_t)odd, by),
        average_pool_s8_dsp_mean((int32_t)even >> 16, by), average_pool_s8_dsp_mean((int32_t)odd >> 16, by)};
    return means;
}

HIL_INLINE int32_t average_pool_s8_dsp_divided(int32_t sum, int32_t count)
{
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/* the same of windows of any size */
HIL_INLINE pool_s8_dsp_sums average_pool_s8_dsp_large(const int8_t *first, int32_t rows, int32_t row_step,
                                                      int32_t columns, int32_t step)
{
    const int32_t count = rows * columns;
    const pool_s8_dsp_sums sums = pool_s8_dsp_sum(first, rows, row_step, columns, step);
    const pool_s8_dsp_sums means = {
        average_pool_s8_dsp_divided(sums.a, count), average_pool_s8_dsp_divided(sums.b, count),
        average_pool_s8_dsp_divided(sums.c, count), average_pool_s8_dsp_divided(sums.d, count)};
    return means;
}

HIL_INLINE int32_t average_pool_s8_dsp_clamped(const pool_s8_shape *s, int32_t mean)
{
    return hil_clamp(mean, s->clamp_min, s->clamp_max);
}

/* all channels of a window */
HIL_INLINE void average_pool_s8_dsp_pixel(const int8_t *first, int8_t *output, int32_t rows, int32_t columns,
                                          const pool_s8_shape *s)
{
    const int32_t row_step = s->in_w * s->channels, count = rows * columns;
    const average_pool_s8_dsp_division by = {2 * count + 1, (1 << 30) / count};
    const int clamps = s->clamp_min > -128 || s->clamp_max < 127; /* a mean of int8 is none beyond */
    for (int32_t c = 0; c < s->channels; c += 4) {
        /* the last four channels may overlap the four before */
        const int32_t at = c + 4 > s->channels ? s->channels - 4 : c;
        pool_s8_dsp_sums means =
            count <= HIL_POOL_DSP_COLUMNS
                ? average_pool_s8_dsp_means(first + at, rows, row_step, columns, s->channels, by)
                : average_pool_s8_dsp_large(first + at, rows, row_step, columns, s->channels);
        if (clamps) {
            means.a = average_pool_s8_dsp_clamped(s, means.a);
            means.b = average_pool_s8_dsp_clamped(s, means.b);
            means.c = average_pool_s8_dsp_clamped(s, means.c);
            means.d = average_pool_s8_dsp_clamped(s, means.d);
        }
        output[at] = (int8_t)means.a;
        output[at + 1] = (int8_t)means.b;
        output[at + 2] = (int8_t)means.c;
        output[at + 3] = (int8_t)means.d;
    }
}

HIL_SHARED void average_pool_s8_dsp(const int8_t *input, int8_t *output, const average_pool_s8_dsp_shape *s)
{
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
                average_pool_s8_dsp_pixel(w.first, output, rows, columns, s);
                output += s->channels;
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}
