#include "rfft_s32_portable.h"

#include "fft_s32.h"

HIL_SHARED void rfft_s32_portable(const int32_t *input, const int32_t *roots, const int32_t *turns, const uint16_t *places,
                                  int32_t *output, const rfft_s32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        hil_fft_s32_real(input, roots, turns, places, output, s->in_n, s->n);
        input += s->in_n;
        output += 2 * s->n + 2;
    }
}
