/* SignalIrfft, int32: half spectra back to rows of reals (fft_steps.h). */
#ifndef HIL_KERNELS_IRFFT_S32_PORTABLE_H
#define HIL_KERNELS_IRFFT_S32_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, n; /* n: complex numbers of the transform */
} irfft_s32_portable_shape;

void irfft_s32_portable(const int32_t *input, const int32_t *roots, const int32_t *turns, const uint16_t *wanted, int32_t *output,
                        const irfft_s32_portable_shape *s);

#endif
