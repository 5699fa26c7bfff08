#include "lstm_s8_mve.h"

#include "lstm_mve.h"

/* What a block of four units reads. */
typedef struct {
    const int8_t *x, *before, *weights, *recurrent;
    const int32_t *starts;
} lstm_s8_mve_block;

HIL_INLINE int32x4_t lstm_s8_mve_gate(const void *block, int32_t which, const lstm_s8_shape *s)
{
    const lstm_s8_mve_block *b = block;
    const int32_t *starts = b->starts + 8 * which;
    const int32x4_t fed = quad_s8_mve_dot(starts, b->x, b->weights + which * s->in_quad, s->in_n);
    const int32x4_t back = quad_s8_mve_dot(starts + 4, b->before, b->recurrent + which * s->back_quad, s->units);
    const int32x4_t first = lstm_mve_half(lstm_mve_scaled(fed, &s->fed[which]));
    return lstm_mve_half(vaddq_s32(first, lstm_mve_half(lstm_mve_scaled(back, &s->back[which]))));
}

HIL_SHARED void lstm_s8_mve(const int8_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *starts,
                            const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output,
                            const lstm_s8_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *x = input + n * s->x_batch;
        int8_t *y = output + n * s->y_batch;
        const int8_t *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            lstm_s8_mve_block block = {x, before, weights, recurrent, starts};
            for (int32_t u = 0; u < s->units; u += 4) {
                const mve_pred16_t lanes = vctp32q((uint32_t)(s->units - u));
                const int32x4_t made = lstm_mve_hidden(&block, cell + u, table, s, lanes, lstm_s8_mve_gate);
                vstrbq_p_s32(y + u, quad_mve_clamp(made, INT8_MIN, INT8_MAX), lanes);
                block.weights += 4 * s->in_quad;
                block.recurrent += 4 * s->back_quad;
                block.starts += 32;
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
