/* UNIDIRECTIONAL_SEQUENCE_LSTM of int16 activations, int8 weights and int64 biases: as lstm_s8.h, whose shape it has.
 *
 * x_batch, x_step, y_batch and y_step count elements. The gates' factors are as hil_requantize_wide wants them. */
#ifndef HIL_KERNELS_LSTM_S16_H
#define HIL_KERNELS_LSTM_S16_H

#include "lstm_s8.h"
#include "requantize_wide.h"

/* A unit's four gates over x or the hidden state, in 64 bits; biases may be 0, where there are none. */
typedef void lstm_s16_dot(int64_t *sums, const int64_t *biases, const int16_t *x, const int8_t *weights, int32_t count);

HIL_INLINE int32_t lstm_s16_part(int64_t sum, const lstm_s8_factor *factor)
{
    return lstm_s8_half(hil_requantize_wide(sum, factor->multiplier, factor->shift));
}

HIL_INLINE int32_t lstm_s16_gate(const lstm_s8_shape *s, int32_t which, const void *fed, const void *back)
{
    const int32_t first = lstm_s16_part(((const int64_t *)fed)[which], &s->fed[which]);
    return lstm_s8_half(first + lstm_s16_part(((const int64_t *)back)[which], &s->back[which]));
}

HIL_INLINE int32_t lstm_s16_scale(int32_t x, const lstm_s8_factor *factor)
{
    return hil_requantize(x, factor->multiplier, factor->shift);
}

HIL_INLINE void lstm_s16(const int16_t *input, const int8_t *weights, const int8_t *recurrent, const int64_t *biases,
                         const uint16_t *table, int16_t *hidden, int16_t *cell, int16_t *output,
                         const lstm_s8_shape *s, lstm_s16_dot *dot)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int16_t *x = input + n * s->x_batch;
        int16_t *y = output + n * s->y_batch;
        const int16_t *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            const int8_t *w = weights;
            const int8_t *r = recurrent;
            const int64_t *bias = biases;
            for (int32_t u = 0; u < s->units; ++u) {
                int64_t fed[4], back[4];
                dot(fed, bias, x, w, s->in_n);
                dot(back, 0, before, r, s->units);
                const int32_t made = lstm_s8_hidden(fed, back, cell + u, table, s, lstm_s16_gate, lstm_s16_scale);
                y[u] = (int16_t)lstm_s8_half(made);
                w += s->in_quad;
                r += s->back_quad;
                bias += 4;
            }
            before = y;
            x += s->x_step;
            y += s->y_step;
        }
        memcpy(hidden, before, (uint32_t)s->units * sizeof(int16_t));
        hidden += s->units;
        cell += s->units;
    }
}

#endif
