/* See fully_connected_few_s8_dsp.h. */
#include "fully_connected_few_s8_dsp.h"

#include <string.h>

enum { ROWS = 16, TAPS = 16 };

HIL_INLINE uint32_t few_load(const int8_t *x)
{
    uint32_t four;
    memcpy(&four, x, 4);
    return four;
}

HIL_INLINE uint32_t few_even(uint32_t x)
{
    uint32_t r;
    __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(x));
    return r;
}

HIL_INLINE uint32_t few_odd(uint32_t x)
{
    uint32_t r;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(x));
    return r;
}

HIL_INLINE uint32_t few_smlad(uint32_t sum, uint32_t a, uint32_t b)
{
    uint32_t r;
    __asm__("smlad %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(sum));
    return r;
}

/* the inputs of a row of n that are left behind whole fours of them: its last four; all of a shorter one */
HIL_INLINE uint32_t few_load_last(const int8_t *x, int32_t n)
{
    uint32_t four = 0;
    if (n >= 4) {
        return few_load(x - (-n & 3));
    }
    for (int32_t i = n - 1; i >= 0; --i) {
        four = four << 8 | (uint8_t)x[i];
    }
    return four;
}

/* of output a and of output b, of rows x and y */
typedef struct {
    uint32_t ax, ay, bx, by;
} few_sums;

/* four taps of one or two rows and outputs */
HIL_INLINE few_sums few_taps(few_sums sums, uint32_t x, uint32_t y, const int32_t *w, int32_t rows, int32_t outputs)
{
    const uint32_t a_even = (uint32_t)w[0];
    const uint32_t a_odd = (uint32_t)w[1];
    const uint32_t b_even = outputs > 1 ? (uint32_t)w[2] : 0;
    const uint32_t b_odd = outputs > 1 ? (uint32_t)w[3] : 0;
    const uint32_t x_even = few_even(x);
    const uint32_t x_odd = few_odd(x);
    sums.ax = few_smlad(few_smlad(sums.ax, x_even, a_even), x_odd, a_odd);
    if (outputs > 1) {
        sums.bx = few_smlad(few_smlad(sums.bx, x_even, b_even), x_odd, b_odd);
    }
    if (rows > 1) {
        const uint32_t y_even = few_even(y);
        const uint32_t y_odd = few_odd(y);
        sums.ay = few_smlad(few_smlad(sums.ay, y_even, a_even), y_odd, a_odd);
        if (outputs > 1) {
            sums.by = few_smlad(few_smlad(sums.by, y_even, b_even), y_odd, b_odd);
        }
    }
    return sums;
}

/* steps of TAPS taps of one row and output: GCC takes more instructions to load weights */
HIL_INLINE few_sums few_long(const int8_t *x, const int32_t *w, int32_t steps)
{
    uint32_t sum = 0, even, odd, a, b;
    __asm__("1:\n\t"
            ".rept 4\n\t"
            "ldr %[odd], [%[x]], #4\n\t"
            "ldrd %[a], %[b], [%[w]], #8\n\t"
            "sxtb16 %[even], %[odd]\n\t"
            "sxtb16 %[odd], %[odd], ror #8\n\t"
            "smlad %[sum], %[even], %[a], %[sum]\n\t"
            "smlad %[sum], %[odd], %[b], %[sum]\n\t"
            ".endr\n\t"
            "subs %[steps], %[steps], #1\n\t"
            "bne 1b"
            : [x] "+r"(x), [w] "+r"(w), [steps] "+r"(steps), [sum] "+r"(sum), [even] "=&r"(even), [odd] "=&r"(odd),
              [a] "=&r"(a), [b] "=&r"(b)
            :
            : "cc", "memory");
    return (few_sums){sum, 0, 0, 0};
}

/* the same of two rows */
HIL_INLINE few_sums few_long_two(const int8_t *x, const int8_t *y, const int32_t *w, int32_t steps)
{
    uint32_t sum_x = 0, sum_y = 0, even, x_odd, y_odd, a, b;
    __asm__("1:\n\t"
            ".rept 4\n\t"
            "ldr %[x_odd], [%[x]], #4\n\t"
            "ldr %[y_odd], [%[y]], #4\n\t"
            "ldrd %[a], %[b], [%[w]], #8\n\t"
            "sxtb16 %[even], %[x_odd]\n\t"
            "sxtb16 %[x_odd], %[x_odd], ror #8\n\t"
            "smlad %[sum_x], %[even], %[a], %[sum_x]\n\t"
            "sxtb16 %[even], %[y_odd]\n\t"
            "sxtb16 %[y_odd], %[y_odd], ror #8\n\t"
            "smlad %[sum_y], %[even], %[a], %[sum_y]\n\t"
            "smlad %[sum_x], %[x_odd], %[b], %[sum_x]\n\t"
            "smlad %[sum_y], %[y_odd], %[b], %[sum_y]\n\t"
            ".endr\n\t"
            "subs %[steps], %[steps], #1\n\t"
            "bne 1b"
            : [x] "+r"(x), [y] "+r"(y), [w] "+r"(w), [steps] "+r"(steps), [sum_x] "+r"(sum_x), [sum_y] "+r"(sum_y),
              [even] "=&r"(even), [x_odd] "=&r"(x_odd), [y_odd] "=&r"(y_odd), [a] "=&r"(a), [b] "=&r"(b)
            :
            : "cc", "memory");
    return (few_sums){sum_x, sum_y, 0, 0};
}

/* sums of one or two rows and outputs; those of an output lie together, ROWS from those of the next */
HIL_INLINE void few_tile(uint32_t *to, const int8_t *x, int32_t step, const int32_t *w, int32_t n, int32_t rows,
                         int32_t outputs)
{
    few_sums sums = {0, 0, 0, 0};
    const int8_t *y = x + (rows - 1) * step;
    int32_t left = n;
    if (outputs == 1 && left > TAPS) {
        const int32_t steps = (left - 1) / TAPS;
        sums = rows > 1 ? few_long_two(x, y, w, steps) : few_long(x, w, steps);
        w += TAPS / 2 * steps;
        x += TAPS * steps;
        y += TAPS * steps;
        left -= TAPS * steps;
    }
    for (; left > 4; left -= 4) {
        sums = few_taps(sums, few_load(x), rows > 1 ? few_load(y) : 0, w, rows, outputs);
        w += 2 * outputs;
        x += 4;
        y += 4;
    }
    sums = few_taps(sums, few_load_last(x, n), rows > 1 ? few_load_last(y, n) : 0, w, rows, outputs);
    to[0] = sums.ax;
    if (rows > 1) {
        to[1] = sums.ay;
    }
    if (outputs > 1) {
        to[ROWS] = sums.bx;
    }
    if (rows > 1 && outputs > 1) {
        to[ROWS + 1] = sums.by;
    }
}

HIL_INLINE void few_rows(uint32_t *to, const int8_t *x, int32_t step, const int32_t *w, int32_t n, int32_t rows,
                         int32_t outputs)
{
    for (; rows >= 2; rows -= 2) {
        few_tile(to, x, step, w, n, 2, outputs);
        x += 2 * step;
        to += 2;
    }
    if (rows > 0) {
        few_tile(to, x, step, w, n, 1, outputs);
    }
}

static HIL_NOINLINE void few_rows_of_two(uint32_t *to, const int8_t *x, int32_t step, const int32_t *w, int32_t n,
                                         int32_t rows)
{
    few_rows(to, x, step, w, n, rows, 2);
}

static HIL_NOINLINE void few_rows_of_one(uint32_t *to, const int8_t *x, int32_t step, const int32_t *w, int32_t n,
                                         int32_t rows)
{
    few_rows(to, x, step, w, n, rows, 1);
}

HIL_SHARED void fully_connected_few_s8_dsp(const int8_t *input, const int32_t *weights, const int32_t *records,
                                           int8_t *output, const fully_connected_few_s8_dsp_shape *s)
{
    uint32_t sums[HIL_FEW_DSP_OUTPUTS * ROWS];
    const int32_t in_pairs = s->out_n & ~1, pair_words = 4 * ((s->in_n + 3) / 4);
    for (int32_t line = 0; line < s->lines; ++line) {
        const int8_t *x = input + line * s->line_step;
        for (int32_t left = s->columns; left > 0; left -= ROWS) {
            const int32_t rows = left < ROWS ? left : ROWS;
            const int32_t *w = weights;
            for (int32_t c = 0; c < in_pairs; c += 2) {
                few_rows_of_two(sums + c * ROWS, x, s->column_step, w, s->in_n, rows);
                w += pair_words;
            }
            if (s->out_n > in_pairs) {
                few_rows_of_one(sums + in_pairs * ROWS, x, s->column_step, w, s->in_n, rows);
            }
            for (int32_t c = 0; c < s->out_n; ++c) {
                scale_s8(sums + c * ROWS, records + c * s->scale.words, 0, output + c, s->out_n, rows, &s->scale);
            }
            x += rows * s->column_step;
            output += rows * s->out_n;
        }
    }
}
