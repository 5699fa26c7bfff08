/* SignalRfft, float32: rows of reals, filled up with zeros, to half of their spectrum (fft_steps.h). */
#ifndef HIL_KERNELS_RFFT_F32_PORTABLE_H
#define HIL_KERNELS_RFFT_F32_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, in_n, n; /* rows of in_n reals; n: complex numbers of the transform */
} rfft_f32_portable_shape;

void rfft_f32_portable(const float *input, const float *roots, const float *turns, const uint16_t *places, float *output,
                       const rfft_f32_portable_shape *s);

#endif
