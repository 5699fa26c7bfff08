/* fft_steps.h for int32 with 31 fraction bits. */
#ifndef HIL_KERNELS_FFT_S32_H
#define HIL_KERNELS_FFT_S32_H

#include "kernel.h"

HIL_INLINE int32_t hil_fft_s32_round(int64_t x)
{
    return (int32_t)((x + (INT64_C(1) << 30)) >> 31);
}

HIL_INLINE int32_t hil_fft_s32_divide(int32_t a, int32_t by)
{
    return hil_fft_s32_round((int64_t)a * (INT32_MAX / by));
}

HIL_INLINE int32_t hil_fft_s32_times_real(const int32_t *a, const int32_t *b)
{
    return hil_fft_s32_round((int64_t)a[0] * b[0] - (int64_t)a[1] * b[1]);
}

HIL_INLINE int32_t hil_fft_s32_times_imaginary(const int32_t *a, const int32_t *b)
{
    return hil_fft_s32_round((int64_t)a[0] * b[1] + (int64_t)a[1] * b[0]);
}

HIL_INLINE int32_t hil_fft_s32_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

HIL_INLINE int32_t hil_fft_s32_subtract(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

HIL_INLINE int32_t hil_fft_s32_negate(int32_t a)
{
    return (int32_t)(0U - (uint32_t)a);
}

HIL_INLINE int32_t hil_fft_s32_half(int32_t a, int32_t b, int32_t sign)
{
    return (sign > 0 ? hil_fft_s32_add(a, b) : hil_fft_s32_subtract(a, b)) >> 1;
}

#define HIL_FFT_NUMBER int32_t
#define HIL_FFT(name) hil_fft_s32_##name
#include "fft_steps.h"

#endif
