#include "irfft_f32_portable.h"

#include "fft_f32.h"

HIL_SHARED void irfft_f32_portable(const float *input, const float *roots, const float *turns, const uint16_t *wanted,
                                   float *output, const irfft_f32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        hil_fft_f32_inverse(input, roots, turns, wanted, output, s->n);
        for (int32_t i = 0; i < 2 * s->n; ++i) {
            output[i] *= 1.0f / (float)(2 * s->n);
        }
        input += 2 * s->n + 2;
        output += 2 * s->n;
    }
}
