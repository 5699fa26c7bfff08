/* SignalIrfft, float32: half spectra back to rows of reals (fft_steps.h). */
#ifndef HIL_KERNELS_IRFFT_F32_PORTABLE_H
#define HIL_KERNELS_IRFFT_F32_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, n; /* n: complex numbers of the transform */
} irfft_f32_portable_shape;

void irfft_f32_portable(const float *input, const float *roots, const float *turns, const uint16_t *wanted, float *output,
                        const irfft_f32_portable_shape *s);

#endif
