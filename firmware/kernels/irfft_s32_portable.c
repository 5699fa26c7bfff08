#include "irfft_s32_portable.h"

#include "fft_s32.h"

HIL_SHARED void irfft_s32_portable(const int32_t *input, const int32_t *roots, const int32_t *turns, const uint16_t *wanted,
                                   int32_t *output, const irfft_s32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        hil_fft_s32_inverse(input, roots, turns, wanted, output, s->n);
        input += 2 * s->n + 2;
        output += 2 * s->n;
    }
}
