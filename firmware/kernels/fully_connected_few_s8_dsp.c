/* See fully_connected_few_s8_dsp.h. */
#include "fully_connected_few_s8_dsp.h"

#include <string.h>

#include "dot_s8_dsp.h"

enum { TAPS = 16 };

HIL_INLINE uint32_t few_load(const int8_t *x)
{
    uint32_t four;
    memcpy(&four, x, 4);
    return four;
}

HIL_INLINE uint32_t few_products(uint32_t sum, uint32_t a, uint32_t b)
{
    uint32_t even, odd;
    __asm__("sxtb16 %[even], %[a]\n\t"
            "sxtb16 %[odd], %[b]\n\t"
            "smlad %[sum], %[even], %[odd], %[sum]\n\t"
            "sxtb16 %[even], %[a], ror #8\n\t"
            "sxtb16 %[odd], %[b], ror #8\n\t"
            "smlad %[sum], %[even], %[odd], %[sum]"
            : [sum] "+r"(sum), [even] "=&r"(even), [odd] "=&r"(odd)
            : [a] "r"(a), [b] "r"(b));
    return sum;
}

/* of taps from `first` on, wherever they lie */
HIL_INLINE uint32_t few_rest(uint32_t sum, const int8_t *a, const int8_t *b, int32_t first, int32_t count)
{
    int32_t i = first;
    for (; i + 4 <= count; i += 4) {
        sum = few_products(sum, few_load(a + i), few_load(b + i));
    }
    for (; i < count; ++i) {
        sum += (uint32_t)(a[i] * b[i]);
    }
    return sum;
}

/* a row's sums; `steps` of 16 taps may be read as words */
HIL_INLINE void few_row(uint32_t *sums, const int8_t *x, const int8_t *w, int32_t steps,
                        const fully_connected_few_s8_dsp_shape *s)
{
    int32_t c = 0;
    sums[0] = sums[1] = sums[2] = 0;
    if (steps > 0) {
        for (; c + 2 <= s->out_n; c += 2) {
            dot_pair_s8_dsp(x, w + c * s->in_step, w + (c + 1) * s->in_step, steps, sums + c);
        }
        if (c < s->out_n) {
            sums[c] = dot_s8_dsp(x, w + c * s->in_step, steps);
        }
    }
    for (c = 0; c < s->out_n; ++c) {
        sums[c] = few_rest(sums[c], x, w + c * s->in_step, TAPS * steps, s->in_n);
    }
}

HIL_SHARED void fully_connected_few_s8_dsp(const int8_t *input, const int32_t *weights, const int32_t *records,
                                           int8_t *output, const fully_connected_few_s8_dsp_shape *s)
{
    const int8_t *const w = (const int8_t *)weights;
    uint32_t sums[HIL_FEW_DSP_OUTPUTS + 1];
    int32_t left = s->batches;
    const int32_t whole = s->in_n / TAPS;
    if (s->out_n == 1 && s->in_n % 4 == 0 && whole > 0 && (uintptr_t)input % 4 == 0) {
        for (; left >= 2; left -= 2) {
            dot_pair_s8_dsp(w, input, input + s->in_n, whole, sums);
            sums[0] = few_rest(sums[0], input, w, TAPS * whole, s->in_n);
            sums[1] = few_rest(sums[1], input + s->in_n, w, TAPS * whole, s->in_n);
            scale_s8(sums, records, 0, output, 1, 2, &s->scale);
            input += 2 * s->in_n;
            output += 2;
        }
    }
    for (; left > 0; --left) {
        few_row(sums, input, w, (uintptr_t)input % 4 == 0 ? whole : 0, s);
        scale_s8(sums, records, s->scale.words, output, 1, s->out_n, &s->scale);
        input += s->in_n;
        output += s->out_n;
    }
}
