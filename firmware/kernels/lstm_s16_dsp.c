#include "lstm_s16_dsp.h"

/* Four sums over taps of int16; weights as quad_s8_dsp.h wants them, but for the order of taps. */
HIL_INLINE void lstm_s16_dsp_dot(void *sums, const void *biases, const int16_t *x, const int8_t *w, int32_t count)
{
    const uint32_t *bias = biases;
    uint32_t *to = sums;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (bias != 0) {
        a = bias[0];
        b = bias[1];
        c = bias[2];
        d = bias[3];
    }
    const int16_t *const end = x + (count & ~3);
    while (x != end) {
        uint32_t taps, first, second, pair;
        __asm__("ldr %[taps], [%[x]], #4\n\t"
                "ldrd %[first], %[second], [%[w]], #8\n\t"
                "sxtb16 %[pair], %[first]\n\t"
                "sxtb16 %[first], %[first], ror #8\n\t"
                "smlad %[a], %[pair], %[taps], %[a]\n\t"
                "smlad %[b], %[first], %[taps], %[b]\n\t"
                "sxtb16 %[pair], %[second]\n\t"
                "sxtb16 %[second], %[second], ror #8\n\t"
                "smlad %[c], %[pair], %[taps], %[c]\n\t"
                "smlad %[d], %[second], %[taps], %[d]\n\t"
                "ldr %[taps], [%[x]], #4\n\t"
                "ldrd %[first], %[second], [%[w]], #8\n\t"
                "sxtb16 %[pair], %[first]\n\t"
                "sxtb16 %[first], %[first], ror #8\n\t"
                "smlad %[a], %[pair], %[taps], %[a]\n\t"
                "smlad %[b], %[first], %[taps], %[b]\n\t"
                "sxtb16 %[pair], %[second]\n\t"
                "sxtb16 %[second], %[second], ror #8\n\t"
                "smlad %[c], %[pair], %[taps], %[c]\n\t"
                "smlad %[d], %[second], %[taps], %[d]"
                : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(x), [w] "+r"(w), [taps] "=&r"(taps),
                  [first] "=&r"(first), [second] "=&r"(second), [pair] "=&r"(pair)
                :
                : "memory");
    }
    for (int32_t left = count & 3; left > 0; --left) {
        const int32_t u = *x++;
        a += (uint32_t)(u * w[0]);
        b += (uint32_t)(u * w[1]);
        c += (uint32_t)(u * w[2]);
        d += (uint32_t)(u * w[3]);
        w += 4;
    }
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
}

/* One rounding, as hil_requantize_wide; |sum| < 2^30 */
HIL_INLINE int32_t lstm_s16_dsp_part(uint32_t sum, const lstm_s8_factor *factor)
{
    int32_t made;
    __asm__("smmulr %0, %1, %2" : "=r"(made) : "r"(2 * (int32_t)sum), "r"(factor->multiplier));
    return lstm_s8_half(made);
}

HIL_INLINE int32_t lstm_s16_dsp_gate(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back)
{
    const int32_t first = lstm_s16_dsp_part(((const uint32_t *)fed)[which], &s->fed[which]);
    return lstm_s8_half(first + lstm_s16_dsp_part(((const uint32_t *)back)[which], &s->back[which]));
}

/* right shifts of 1 and more, |x| < 2^30 */
HIL_INLINE int32_t lstm_s16_dsp_scale(int32_t x, const lstm_s8_factor *factor)
{
    int32_t high;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(high) : "r"(2 * x), "r"(factor->multiplier), "r"(factor->half));
    return (high + (x >> 31)) >> factor->shift;
}

HIL_SHARED void lstm_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *recurrent,
                             const int32_t *biases, const uint16_t *table, int16_t *hidden, int16_t *cell,
                             int16_t *output, const lstm_s16_dsp_shape *s)
{
    lstm_s16(input, (const int8_t *)weights, (const int8_t *)recurrent, biases, sizeof(int32_t), table, hidden, cell,
             output, s, lstm_s16_dsp_dot, lstm_s16_dsp_gate, lstm_s16_dsp_scale);
}
