#include "lstm_s16_mve.h"

#include "lstm_mve.h"

/* Four sums over taps of int16. */
HIL_INLINE int32x4_t lstm_s16_mve_dot(const int16_t *x, const int8_t *w, int32_t count)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t steps = count >> 3; steps > 0; --steps) {
        const int16x8_t row = vldrhq_s16(x);
        a = vmladavaq_s16(a, row, vldrbq_s16(w));
        b = vmladavaq_s16(b, row, vldrbq_s16(w + 8));
        c = vmladavaq_s16(c, row, vldrbq_s16(w + 16));
        d = vmladavaq_s16(d, row, vldrbq_s16(w + 24));
        x += 8;
        w += 32;
    }
    if ((count & 7) != 0) {
        const int16x8_t row = vldrhq_z_s16(x, vctp16q((uint32_t)(count & 7)));
        a = vmladavaq_s16(a, row, vldrbq_s16(w));
        b = vmladavaq_s16(b, row, vldrbq_s16(w + 8));
        c = vmladavaq_s16(c, row, vldrbq_s16(w + 16));
        d = vmladavaq_s16(d, row, vldrbq_s16(w + 24));
    }
    return (int32x4_t){a, b, c, d};
}

/* What a block of four units reads. */
typedef struct {
    const int16_t *x, *before;
    const int8_t *weights, *recurrent;
    const int32_t *biases;
} lstm_s16_mve_block;

HIL_INLINE int32x4_t lstm_s16_mve_gate(const void *block, int32_t which, const lstm_s8_shape *s)
{
    const lstm_s16_mve_block *b = block;
    const int32x4_t sums = lstm_s16_mve_dot(b->x, b->weights + which * s->in_quad, s->in_n);
    const int32x4_t fed = vaddq_s32(sums, vld1q_s32(b->biases + 4 * which));
    const int32x4_t back = lstm_s16_mve_dot(b->before, b->recurrent + which * s->back_quad, s->units);
    const int32x4_t first = lstm_mve_half(vqrdmulhq_n_s32(fed, s->fed[which].multiplier));
    return lstm_mve_half(vaddq_s32(first, lstm_mve_half(vqrdmulhq_n_s32(back, s->back[which].multiplier))));
}

HIL_SHARED void lstm_s16_mve(const int16_t *input, const int8_t *weights, const int8_t *recurrent,
                             const int32_t *biases, const uint16_t *table, int16_t *hidden, int16_t *cell,
                             int16_t *output, const lstm_s16_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int16_t *x = input + n * s->x_batch;
        int16_t *y = output + n * s->y_batch;
        const int16_t *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            lstm_s16_mve_block block = {x, before, weights, recurrent, biases};
            for (int32_t u = 0; u < s->units; u += 4) {
                const mve_pred16_t lanes = vctp32q((uint32_t)(s->units - u));
                const int32x4_t made = lstm_mve_hidden(&block, cell + u, table, s, lanes, lstm_s16_mve_gate);
                vstrhq_p_s32(y + u, lstm_mve_half(made), lanes);
                block.weights += 4 * s->in_quad;
                block.recurrent += 4 * s->back_quad;
                block.biases += 16;
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
