#include "lstm_s16_dsp.h"

#include "quad_s16_dsp.h"

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
             output, s, quad_s16_dsp_dot, lstm_s16_dsp_gate, lstm_s16_dsp_scale);
}
