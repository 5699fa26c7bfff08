/* Sums of each channel over an image that comes a few rows at a time. */
#ifndef HIL_KERNELS_IMAGE_SUMS_PORTABLE_H
#define HIL_KERNELS_IMAGE_SUMS_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t pixels, channels;
    int32_t first; /* 1 where the image begins */
} image_sums_portable_shape;

HIL_INLINE void image_sums_portable(const int8_t *input, int32_t *sums, const image_sums_portable_shape *s)
{
    for (int32_t c = 0; c < s->channels; ++c) {
        int32_t sum = s->first ? 0 : sums[c];
        for (int32_t i = 0; i < s->pixels; ++i) {
            sum += input[i * s->channels + c];
        }
        sums[c] = sum;
    }
}

#endif
