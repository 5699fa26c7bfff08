/* SignalIrfft, int16: half spectra back to rows of reals (fft_steps.h). */
#ifndef HIL_KERNELS_IRFFT_S16_PORTABLE_H
#define HIL_KERNELS_IRFFT_S16_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, n; /* n: complex numbers of the transform */
} irfft_s16_portable_shape;

void irfft_s16_portable(const int16_t *input, const int16_t *roots, const int16_t *turns, const uint16_t *wanted, int16_t *output,
                        const irfft_s16_portable_shape *s);

#endif
