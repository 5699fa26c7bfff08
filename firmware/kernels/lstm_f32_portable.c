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
                float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
                QUAD_F32_DOT(a, b, c, d, x, w, s->in_n)
                float e = 0.0f, f = 0.0f, g = 0.0f, h = 0.0f;
                QUAD_F32_DOT(e, f, g, h, before, r, s->units)
                /* TensorFlow Lite Micro adds a bias of 0 to these, which makes zeros positive */
                const float taken = hil_logistic((a + bias[0]) + (e + 0.0f));
                const float forget = hil_logistic((b + bias[1]) + (f + 0.0f));
                const float offered = hil_tanh((c + bias[2]) + (g + 0.0f));
                const float open = hil_logistic((d + bias[3]) + (h + 0.0f));
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
