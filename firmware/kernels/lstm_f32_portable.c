#include "lstm_f32_portable.h"

#include <string.h>

#include "elementary.h"
#include "quad_f32.h"

HIL_SHARED void lstm_f32_portable(const float *input, const float *weights, const float *recurrent, const float *biases,
                                  float *hidden, float *cell, float *output, float clip,
                                  const lstm_f32_portable_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const float *x = input + n * s->x_batch;
        float *y = output + n * s->y_batch;
        const float *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            const float *w = weights;
            const float *r = recurrent;
            const float *bias = biases;
            for (int32_t u = 0; u < s->units; ++u) {
                float given[4], held[4];
                quad_f32_clear(given, 4);
                quad_f32_clear(held, 4);
                quad_f32_dot(given, x, w, s->in_n, QUAD_F32_APART);
                quad_f32_dot(held, before, r, s->units, QUAD_F32_APART);
                /* TensorFlow Lite Micro adds a bias of 0 to these, which makes zeros positive */
                const float taken = hil_logistic((given[0] + bias[0]) + (held[0] + 0.0f));
                const float forget = hil_logistic((given[1] + bias[1]) + (held[1] + 0.0f));
                const float offered = hil_tanh((given[2] + bias[2]) + (held[2] + 0.0f));
                const float open = hil_logistic((given[3] + bias[3]) + (held[3] + 0.0f));
                float now = hil_rounded(forget * cell[u]) + hil_rounded(taken * offered);
                if (clip > 0.0f) {
                    now = now > clip ? clip : now;
                    now = now < -clip ? -clip : now;
                }
                cell[u] = now;
                y[u] = hil_tanh(now) * open;
                w += 4 * s->in_n;
                r += 4 * s->units;
                bias += 4;
            }
            before = y;
            x += s->x_step;
            y += s->y_step;
        }
        memcpy(hidden, before, (uint32_t)s->units * sizeof(float));
        hidden += s->units;
        cell += s->units;
    }
}
