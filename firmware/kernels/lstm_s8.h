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

/* A factor: multiplier and shift of hil_requantize, or as `scale` wants them. */
typedef struct {
    int32_t multiplier, shift, half;
} lstm_s8_factor;

/* Gates: input, forget, cell, output. */
typedef struct {
    int32_t batches, steps, in_n, units;
    int32_t x_batch, x_step, y_batch, y_step; /* bytes from one to the next */
    int32_t in_quad, back_quad;               /* bytes of a unit's packed weights */
    lstm_s8_factor fed[4], back[4];
    lstm_s8_factor forget, added, hidden;
    int32_t hidden_zero;
    int32_t tanh_multiplier, tanh_right; /* of the cell state, to the units of hil_tanh16 */
    int32_t clip_min, clip_max;          /* of the cell state */
} lstm_s8_shape;

typedef void lstm_s8_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *weights, int32_t count);

/* A product with a factor, rounded as TensorFlow Lite Micro rounds it. */
typedef int32_t lstm_s8_scale(int32_t x, const lstm_s8_factor *factor);

HIL_INLINE int32_t lstm_s8_half(int32_t x)
{
    return hil_clamp(x, INT16_MIN, INT16_MAX);
}

/* a gate before its function, from sums of 32 bits */
HIL_INLINE int32_t lstm_s8_gate(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back,
                                lstm_s8_scale *scale)
{
    const int32_t first = lstm_s8_half(scale((int32_t)((const uint32_t *)fed)[which], &s->fed[which]));
    const int32_t second = lstm_s8_half(scale((int32_t)((const uint32_t *)back)[which], &s->back[which]));
    return lstm_s8_half(first + second);
}

/* A gate before its function, from the sums of a unit. */
typedef int32_t lstm_s8_gate_of(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back);

/* The new hidden value of a unit, not clamped, and its cell. */
HIL_INLINE int32_t lstm_s8_hidden(const void *fed, const void *back, int16_t *cell, const uint16_t *table,
                                  const lstm_s8_shape *s, lstm_s8_gate_of *gate, lstm_s8_scale *scale)
{
    const int32_t forget = hil_sigmoid16(table, 3 * gate(s, 1, fed, back));
    const int32_t kept = lstm_s8_half(scale(forget * *cell, &s->forget));
    const int32_t taken = hil_sigmoid16(table, 3 * gate(s, 0, fed, back));
    const int32_t offered = hil_tanh16(table, 3 * gate(s, 2, fed, back));
    const int32_t added = lstm_s8_half(scale(taken * offered, &s->added));
    const int32_t now = hil_clamp(kept + added, s->clip_min, s->clip_max);
    *cell = (int16_t)now;
    const int32_t half = s->tanh_right > 0 ? (1 << (s->tanh_right - 1)) : 0;
    const int32_t shown = hil_tanh16(table, (now * s->tanh_multiplier + half) >> s->tanh_right);
    const int32_t open = hil_sigmoid16(table, 3 * gate(s, 3, fed, back));
    return hil_wrap_add(scale(open * shown, &s->hidden), s->hidden_zero);
}

HIL_INLINE void lstm_s8(const int8_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *starts,
                        const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output, const lstm_s8_shape *s,
                        lstm_s8_dot *dot, lstm_s8_gate_of *gate, lstm_s8_scale *scale)
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
                dot(fed, start, x, w, s->in_n);
                dot(back, start + 4, before, r, s->units);
                const int32_t made = lstm_s8_hidden(fed, back, cell + u, table, s, gate, scale);
                y[u] = (int8_t)hil_clamp(made, INT8_MIN, INT8_MAX);
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
