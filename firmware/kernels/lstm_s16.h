/* UNIDIRECTIONAL_SEQUENCE_LSTM of int16 activations, int8 weights and int64 biases: as lstm_s8.h, whose shape it has.
 *
 * x_batch, x_step, y_batch and y_step count elements. */
#ifndef HIL_KERNELS_LSTM_S16_H
#define HIL_KERNELS_LSTM_S16_H

#include "lstm_s8.h"

/* Sums of a unit's four gates over x or the hidden state, of a type that the kernel's gate knows; no biases: 0. */
typedef void lstm_s16_dot(void *sums, const void *biases, const int16_t *x, const int8_t *weights, int32_t count);

/* bias_size: bytes of a bias. */
HIL_INLINE void lstm_s16(const int16_t *input, const int8_t *weights, const int8_t *recurrent, const void *biases,
                         int32_t bias_size, const uint16_t *table, int16_t *hidden, int16_t *cell, int16_t *output,
                         const lstm_s8_shape *s, lstm_s16_dot *dot, lstm_s8_gate_of *gate, lstm_s8_scale *scale)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int16_t *x = input + n * s->x_batch;
        int16_t *y = output + n * s->y_batch;
        const int16_t *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            const int8_t *w = weights;
            const int8_t *r = recurrent;
            const uint8_t *bias = biases;
            for (int32_t u = 0; u < s->units; ++u) {
                int64_t fed[4], back[4];
                dot(fed, bias, x, w, s->in_n);
                dot(back, 0, before, r, s->units);
                const int32_t made = lstm_s8_hidden(fed, back, cell + u, table, s, gate, scale);
                y[u] = (int16_t)lstm_s8_half(made);
                w += s->in_quad;
                r += s->back_quad;
                bias += 4 * bias_size;
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
