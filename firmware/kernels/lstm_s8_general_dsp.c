#include "lstm_s8_general_dsp.h"

#include "quad_s8_dsp.h"

HIL_INLINE int32_t lstm_s8_general_dsp_scale(int32_t x, const lstm_s8_factor *factor)
{
    return hil_requantize(x, factor->multiplier, factor->shift);
}

HIL_INLINE int32_t lstm_s8_general_dsp_gate(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back)
{
    return lstm_s8_gate(s, which, fed, back, lstm_s8_general_dsp_scale);
}

HIL_SHARED void lstm_s8_general_dsp(const int8_t *input, const int32_t *weights, const int32_t *recurrent,
                                    const int32_t *starts, const uint16_t *table, int8_t *hidden, int16_t *cell,
                                    int8_t *output, const lstm_s8_general_dsp_shape *s)
{
    lstm_s8(input, (const int8_t *)weights, (const int8_t *)recurrent, starts, table, hidden, cell, output, s,
            quad_s8_dsp_dot, lstm_s8_general_dsp_gate, lstm_s8_general_dsp_scale);
}
