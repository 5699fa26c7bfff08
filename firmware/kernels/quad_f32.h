/* Four float32 sums at a time, each in its own order: what layers with weights share. */
#ifndef HIL_KERNELS_QUAD_F32_H
#define HIL_KERNELS_QUAD_F32_H

#include "floats.h"

/* a += x[i] * w[4 * i], b += x[i] * w[4 * i + 1], ... for i < count; every product and every sum is rounded. A macro, since
 * sums must be kept in registers. */
#define QUAD_F32_DOT(a, b, c, d, x, w, count)        \
    for (int32_t i = 0; i < (count); ++i) {          \
        const float value = (x)[i];                  \
        (a) += hil_rounded(value * (w)[4 * i]);      \
        (b) += hil_rounded(value * (w)[4 * i + 1]);  \
        (c) += hil_rounded(value * (w)[4 * i + 2]);  \
        (d) += hil_rounded(value * (w)[4 * i + 3]);  \
    }

/* Adds the bias, clamps, stores `count` of four; returns the place after them. */
HIL_INLINE float *quad_f32_store(float *output, const float *sums, const float *bias, int32_t count, float low, float high)
{
    for (int32_t i = 0; i < count; ++i) {
        *output++ = hil_float_clamp(sums[i] + bias[i], low, high);
    }
    return output;
}

#endif
