/* SignalEnergy: squared magnitudes of the complex numbers from `start` on and before `end`; 0 of others. */
#ifndef HIL_KERNELS_SIGNAL_ENERGY_PORTABLE_H
#define HIL_KERNELS_SIGNAL_ENERGY_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t count, start, end;
} signal_energy_portable_shape;

HIL_INLINE void signal_energy_portable(const int16_t *input, uint32_t *output, const signal_energy_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const int32_t real = input[2 * i], imaginary = input[2 * i + 1];
        const uint32_t both = (uint32_t)(real * real) + (uint32_t)(imaginary * imaginary);
        output[i] = i >= s->start && i < s->end ? both : 0;
    }
}

#endif
