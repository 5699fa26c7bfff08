/* fft_steps.h for float32: every operation rounded by itself, and nothing divided. */
#ifndef HIL_KERNELS_FFT_F32_H
#define HIL_KERNELS_FFT_F32_H

#include "floats.h"

HIL_INLINE float hil_fft_f32_divide(float a, int32_t by)
{
    (void)by;
    return a;
}

HIL_INLINE float hil_fft_f32_times_real(const float *a, const float *b)
{
    return hil_rounded(a[0] * b[0]) - hil_rounded(a[1] * b[1]);
}

HIL_INLINE float hil_fft_f32_times_imaginary(const float *a, const float *b)
{
    return hil_rounded(a[0] * b[1]) + hil_rounded(a[1] * b[0]);
}

HIL_INLINE float hil_fft_f32_add(float a, float b)
{
    return a + b;
}

HIL_INLINE float hil_fft_f32_subtract(float a, float b)
{
    return a - b;
}

HIL_INLINE float hil_fft_f32_negate(float a)
{
    return -a;
}

HIL_INLINE float hil_fft_f32_half(float a, float b, int32_t sign)
{
    return (sign > 0 ? a + b : a - b) * 0.5f;
}

#define HIL_FFT_NUMBER float
#define HIL_FFT(name) hil_fft_f32_##name
#include "fft_steps.h"

#endif
