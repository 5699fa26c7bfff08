/* SignalFftAutoScale: numbers shifted left as far as the largest allows, and by how many bits. */
#ifndef HIL_KERNELS_SIGNAL_AUTO_SCALE_PORTABLE_H
#define HIL_KERNELS_SIGNAL_AUTO_SCALE_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t count;
} signal_auto_scale_portable_shape;

/* The magnitude of -32768 is -32768 here, and what follows counts anew, as in TensorFlow Lite Micro. */
HIL_INLINE int32_t hil_signal_magnitude(const int16_t *input, int32_t count)
{
    int32_t largest = 0;
    for (int32_t i = 0; i < count; ++i) {
        const int32_t value = input[i];
        if (value > largest) {
            largest = value;
        } else if (-value > largest) {
            largest = value == INT16_MIN ? value : -value;
        }
    }
    return largest;
}

HIL_INLINE void signal_auto_scale_portable(const int16_t *input, int16_t *output, int32_t *bits,
                                           const signal_auto_scale_portable_shape *s)
{
    const int32_t largest = hil_signal_magnitude(input, s->count);
    int32_t shift = 0;
    if (largest > 0) {
        shift = 15;
        for (int32_t rest = largest; rest != 0; rest >>= 1) {
            --shift;
        }
    }
    for (int32_t i = 0; i < s->count; ++i) {
        output[i] = (int16_t)(input[i] * (1 << shift));
    }
    bits[0] = shift;
}

#endif
