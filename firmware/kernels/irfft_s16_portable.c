#include "irfft_s16_portable.h"

#include "fft_s16.h"

HIL_SHARED void irfft_s16_portable(const int16_t *input, const int16_t *roots, const int16_t *turns, const uint16_t *wanted,
                                   int16_t *output, const irfft_s16_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        hil_fft_s16_inverse(input, roots, turns, wanted, output, s->n);
        input += 2 * s->n + 2;
        output += 2 * s->n;
    }
}
