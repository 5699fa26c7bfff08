/* MEAN over a whole image from the sums of its channels, requantized. */
#ifndef HIL_KERNELS_IMAGE_MEAN_PORTABLE_H
#define HIL_KERNELS_IMAGE_MEAN_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t channels;
    int32_t zero_sum; /* input zero point times the number of pixels */
    int32_t multiplier, shift, out_zero;
} image_mean_portable_shape;

HIL_INLINE void image_mean_portable(const int32_t *sums, int8_t *output, const image_mean_portable_shape *s)
{
    for (int32_t c = 0; c < s->channels; ++c) {
        const int32_t scaled = hil_requantize(sums[c] - s->zero_sum, s->multiplier, s->shift);
        output[c] = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), INT8_MIN, INT8_MAX);
    }
}

#endif
