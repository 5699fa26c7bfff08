/* UNIDIRECTIONAL_SEQUENCE_LSTM, int8 with a cell state of int16: what the kernels that take one unit at a time share.
 *
 * `dot` gives the sums of a unit's four gates, whose weights are packed as one quad. The hidden state is what the step before
 * wrote to the output, so that none needs room while the units of a step are computed. starts: by unit the four biases, the
 * input's zero point folded in, and what the hidden state's adds to the four sums over it. */
#ifndef HIL_KERNELS_LSTM_S8_H
#define HIL_KERNELS_LSTM_S8_H

#include <string.h>

#include "requantize.h"
#include "sigmoid16.h"

/* Gates: i input, f forget, c cell, o output. */
typedef struct {
    int32_t batches, steps, in_n, units;
    int32_t x_batch, x_step, y_batch, y_step; /* bytes from one to the next */
    int32_t in_quad, back_quad;               /* bytes of a unit's packed weights */
    int32_t i_multiplier, i_shift, f_multiplier, f_shift, c_multiplier, c_shift, o_multiplier, o_shift;
    int32_t i_back_multiplier, i_back_shift, f_back_multiplier, f_back_shift;
    int32_t c_back_multiplier, c_back_shift, o_back_multiplier, o_back_shift;
    int32_t forget_multiplier, forget_shift, added_multiplier, added_shift;
    int32_t hidden_multiplier, hidden_shift, hidden_zero;
    int32_t tanh_multiplier, tanh_right; /* of the cell state, to the units of hil_tanh16 */
    int32_t clip_min, clip_max;          /* of the cell state */
} lstm_s8_shape;

typedef void lstm_s8_dot(uint32_t *sums, const int8_t *x, const int8_t *weights, int32_t count);

HIL_INLINE int32_t lstm_s8_half(int32_t x, int32_t multiplier, int32_t shift)
{
    return hil_clamp(hil_requantize(x, multiplier, shift), INT16_MIN, INT16_MAX);
}

/* a gate before its function */
HIL_INLINE int32_t lstm_s8_gate(uint32_t fed, int32_t multiplier, int32_t shift, uint32_t back, int32_t back_multiplier,
                                int32_t back_shift)
{
    const int32_t sum = lstm_s8_half((int32_t)fed, multiplier, shift) + lstm_s8_half((int32_t)back, back_multiplier, back_shift);
    return hil_clamp(sum, INT16_MIN, INT16_MAX);
}

/* The new hidden value of a unit, and its cell. */
HIL_INLINE int8_t lstm_s8_unit(const uint32_t *fed, const uint32_t *back, int16_t *cell, const uint16_t *table,
                               const lstm_s8_shape *s)
{
    const int32_t i = lstm_s8_gate(fed[0], s->i_multiplier, s->i_shift, back[0], s->i_back_multiplier, s->i_back_shift);
    const int32_t f = lstm_s8_gate(fed[1], s->f_multiplier, s->f_shift, back[1], s->f_back_multiplier, s->f_back_shift);
    const int32_t c = lstm_s8_gate(fed[2], s->c_multiplier, s->c_shift, back[2], s->c_back_multiplier, s->c_back_shift);
    const int32_t o = lstm_s8_gate(fed[3], s->o_multiplier, s->o_shift, back[3], s->o_back_multiplier, s->o_back_shift);
    const int32_t kept = lstm_s8_half(hil_sigmoid16(table, 3 * f) * *cell, s->forget_multiplier, s->forget_shift);
    const int32_t added = lstm_s8_half(hil_sigmoid16(table, 3 * i) * hil_tanh16(table, 3 * c), s->added_multiplier, s->added_shift);
    int32_t now = kept + added;
    now = hil_clamp(now, s->clip_min, s->clip_max);
    *cell = (int16_t)now;
    const int32_t half = s->tanh_right > 0 ? (1 << (s->tanh_right - 1)) : 0;
    const int32_t shown = hil_tanh16(table, (now * s->tanh_multiplier + half) >> s->tanh_right);
    const int32_t scaled = hil_requantize(hil_sigmoid16(table, 3 * o) * shown, s->hidden_multiplier, s->hidden_shift);
    return (int8_t)hil_clamp(hil_wrap_add(scaled, s->hidden_zero), INT8_MIN, INT8_MAX);
}

HIL_INLINE void lstm_s8(const int8_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *starts,
                        const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output, const lstm_s8_shape *s,
                        lstm_s8_dot *dot)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *x = input + n * s->x_batch;
        int8_t *y = output + n * s->y_batch;
        const int8_t *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            const int8_t *w = weights;
            const int8_t *r = recurrent;
            const int32_t *start = starts;
            for (int32_t u = 0; u < s->units; ++u) {
                uint32_t fed[4], back[4];
                dot(fed, x, w, s->in_n);
                dot(back, before, r, s->units);
                for (int32_t g = 0; g < 4; ++g) {
                    fed[g] += (uint32_t)start[g];
                    back[g] += (uint32_t)start[4 + g];
                }
                y[u] = lstm_s8_unit(fed, back, cell + u, table, s);
                w += s->in_quad;
                r += s->back_quad;
                start += 8;
            }
            before = y;
            x += s->x_step;
            y += s->y_step;
        }
        memcpy(hidden, before, (uint32_t)s->units);
        hidden += s->units;
        cell += s->units;
    }
}

#endif
