/* SignalFilterBankSpectralSubtraction: the signal less a running estimate of the noise, which is the state. */
#ifndef HIL_KERNELS_SIGNAL_SUBTRACTION_PORTABLE_H
#define HIL_KERNELS_SIGNAL_SUBTRACTION_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t channels;
    int32_t smoothing, one_minus_smoothing;                     /* of channels 0, 2, ... */
    int32_t alternate_smoothing, alternate_one_minus_smoothing; /* of channels 1, 3, ... */
    int32_t smoothing_bits, bits, min_signal_remaining, clamping;
} signal_subtraction_portable_shape;

HIL_INLINE void signal_subtraction_portable(const uint32_t *input, uint32_t *state, uint32_t *output, uint32_t *estimate,
                                            const signal_subtraction_portable_shape *s)
{
    for (int32_t i = 0; i < s->channels; ++i) {
        const int odd = (i & 1) != 0;
        const uint32_t share = (uint32_t)(odd ? s->alternate_smoothing : s->smoothing);
        const uint32_t rest = (uint32_t)(odd ? s->alternate_one_minus_smoothing : s->one_minus_smoothing);
        const uint32_t scaled = input[i] << s->smoothing_bits;
        uint32_t noise = (uint32_t)(((uint64_t)scaled * share + (uint64_t)state[i] * rest) >> s->bits);
        const uint32_t below = noise < scaled ? noise : scaled;
        if (s->clamping) {
            noise = below;
        }
        state[i] = noise;
        estimate[i] = noise;
        const uint32_t least = (uint32_t)(((uint64_t)input[i] * (uint32_t)s->min_signal_remaining) >> s->bits);
        const uint32_t left = (scaled - below) >> s->smoothing_bits;
        output[i] = left > least ? left : least;
    }
}

#endif
