#include "rfft_f32_portable.h"

#include "fft_f32.h"

HIL_SHARED void rfft_f32_portable(const float *input, const float *roots, const float *turns, const uint16_t *places,
                                  float *output, const rfft_f32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        hil_fft_f32_real(input, roots, turns, places, output, s->in_n, s->n);
        input += s->in_n;
        output += 2 * s->n + 2;
    }
}
