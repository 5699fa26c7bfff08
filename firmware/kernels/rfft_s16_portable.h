/* SignalRfft, int16: rows of reals, filled up with zeros, to half of their spectrum (fft_steps.h). */
#ifndef HIL_KERNELS_RFFT_S16_PORTABLE_H
#define HIL_KERNELS_RFFT_S16_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, in_n, n; /* rows of in_n reals; n: complex numbers of the transform */
} rfft_s16_portable_shape;

void rfft_s16_portable(const int16_t *input, const int16_t *roots, const int16_t *turns, const uint16_t *places, int16_t *output,
                       const rfft_s16_portable_shape *s);

#endif
