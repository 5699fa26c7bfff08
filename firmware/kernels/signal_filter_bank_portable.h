/* SignalFilterBank: energies summed into channels, every frequency into two with weights; 64-bit sums, which wrap. */
#ifndef HIL_KERNELS_SIGNAL_FILTER_BANK_PORTABLE_H
#define HIL_KERNELS_SIGNAL_FILTER_BANK_PORTABLE_H

#include <string.h>

#include "kernel.h"

typedef struct {
    int32_t channels;
} signal_filter_bank_portable_shape;

HIL_INLINE uint64_t hil_signal_weighted(uint64_t sum, int16_t weight, uint32_t energy)
{
    return sum + (uint64_t)((int64_t)weight * (int64_t)energy);
}

/* output: bytes of uint64, since the arena is aligned to 4 bytes only. What comes before the first channel is left. */
HIL_INLINE void signal_filter_bank_portable(const uint32_t *input, const int16_t *weights, const int16_t *unweights,
                                            const int16_t *starts, const int16_t *firsts, const int16_t *widths,
                                            uint8_t *output, const signal_filter_bank_portable_shape *s)
{
    uint64_t sum = 0;
    for (int32_t channel = 0; channel <= s->channels; ++channel) {
        const uint32_t *energy = input + starts[channel];
        const int16_t *weight = weights + firsts[channel];
        const int16_t *unweight = unweights + firsts[channel];
        uint64_t next = 0;
        for (int32_t i = 0; i < widths[channel]; ++i) {
            sum = hil_signal_weighted(sum, weight[i], energy[i]);
            next = hil_signal_weighted(next, unweight[i], energy[i]);
        }
        if (channel > 0) {
            memcpy(output + 8 * (channel - 1), &sum, 8);
        }
        sum = next;
    }
}

#endif
