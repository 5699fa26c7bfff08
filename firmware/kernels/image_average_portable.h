/* AVERAGE_POOL_2D over a whole image from the sums of its channels: rounded half away from zero. */
#ifndef HIL_KERNELS_IMAGE_AVERAGE_PORTABLE_H
#define HIL_KERNELS_IMAGE_AVERAGE_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t channels, count, clamp_min, clamp_max;
} image_average_portable_shape;

HIL_INLINE void image_average_portable(const int32_t *sums, int8_t *output, const image_average_portable_shape *s)
{
    for (int32_t c = 0; c < s->channels; ++c) {
        const int32_t sum = sums[c];
        const int32_t mean = (sum > 0 ? sum + s->count / 2 : sum - s->count / 2) / s->count;
        output[c] = (int8_t)hil_clamp(mean, s->clamp_min, s->clamp_max);
    }
}

#endif
