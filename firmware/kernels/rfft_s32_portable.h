/* SignalRfft, int32: rows of reals, filled up with zeros, to half of their spectrum (fft_steps.h). */
#ifndef HIL_KERNELS_RFFT_S32_PORTABLE_H
#define HIL_KERNELS_RFFT_S32_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, in_n, n; /* rows of in_n reals; n: complex numbers of the transform */
} rfft_s32_portable_shape;

void rfft_s32_portable(const int32_t *input, const int32_t *roots, const int32_t *turns, const uint16_t *places, int32_t *output,
                       const rfft_s32_portable_shape *s);

#endif
