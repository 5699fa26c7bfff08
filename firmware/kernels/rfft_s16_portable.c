#include "rfft_s16_portable.h"

#include "fft_s16.h"

HIL_SHARED void rfft_s16_portable(const int16_t *input, const int16_t *roots, const int16_t *turns, const uint16_t *places,
                                  int16_t *output, const rfft_s16_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        hil_fft_s16_real(input, roots, turns, places, output, s->in_n, s->n);
        input += s->in_n;
        output += 2 * s->n + 2;
    }
}
