/* fft_steps.h for int16 with 15 fraction bits: products are rounded, divisions are products with a reciprocal. */
#ifndef HIL_KERNELS_FFT_S16_H
#define HIL_KERNELS_FFT_S16_H

#include "kernel.h"

HIL_INLINE int16_t hil_fft_s16_round(int32_t x)
{
    return (int16_t)((x + (1 << 14)) >> 15);
}

HIL_INLINE int16_t hil_fft_s16_divide(int16_t a, int32_t by)
{
    return hil_fft_s16_round(a * (INT16_MAX / by));
}

HIL_INLINE int16_t hil_fft_s16_times_real(const int16_t *a, const int16_t *b)
{
    return hil_fft_s16_round(a[0] * b[0] - a[1] * b[1]);
}

HIL_INLINE int16_t hil_fft_s16_times_imaginary(const int16_t *a, const int16_t *b)
{
    return hil_fft_s16_round(a[0] * b[1] + a[1] * b[0]);
}

HIL_INLINE int16_t hil_fft_s16_add(int16_t a, int16_t b)
{
    return (int16_t)(a + b);
}

HIL_INLINE int16_t hil_fft_s16_subtract(int16_t a, int16_t b)
{
    return (int16_t)(a - b);
}

HIL_INLINE int16_t hil_fft_s16_negate(int16_t a)
{
    return (int16_t)-a;
}

HIL_INLINE int16_t hil_fft_s16_half(int16_t a, int16_t b, int32_t sign)
{
    return (int16_t)((a + sign * b) >> 1);
}

#define HIL_FFT_NUMBER int16_t
#define HIL_FFT(name) hil_fft_s16_##name
#include "fft_steps.h"

#endif
