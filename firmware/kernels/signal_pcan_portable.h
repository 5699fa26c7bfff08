/* SignalPCAN: the signal times a gain that follows from the noise estimate, compressed. */
#ifndef HIL_KERNELS_SIGNAL_PCAN_PORTABLE_H
#define HIL_KERNELS_SIGNAL_PCAN_PORTABLE_H

#include "signal_bits.h"

#define HIL_PCAN_SNR_BITS 12
#define HIL_PCAN_OUT_BITS 6

typedef struct {
    int32_t channels, shift;
} signal_pcan_portable_shape;

/* A function given as parabolas over powers of two, four numbers each. */
HIL_INLINE int16_t hil_pcan_gain(uint32_t x, const int16_t *gains)
{
    if (x <= 2) {
        return gains[x];
    }
    const int32_t interval = hil_bits(x);
    const int16_t *const g = gains + 4 * interval - 6;
    const int32_t part = (int32_t)((interval < 11 ? x << (11 - interval) : x >> (interval - 11)) & 0x3ff);
    const int32_t slope = ((g[2] * part) >> 5) + g[1] * 32;
    return (int16_t)(((slope * part + (1 << 14)) >> 15) + g[0]);
}

HIL_INLINE uint32_t hil_pcan_shrink(uint32_t x)
{
    if (x < (2U << HIL_PCAN_SNR_BITS)) {
        return (x * x) >> (2 + 2 * HIL_PCAN_SNR_BITS - HIL_PCAN_OUT_BITS);
    }
    return (x >> (HIL_PCAN_SNR_BITS - HIL_PCAN_OUT_BITS)) - (1U << HIL_PCAN_OUT_BITS);
}

HIL_INLINE void signal_pcan_portable(const uint32_t *input, const uint32_t *noise, const int16_t *gains, uint32_t *output,
                                     const signal_pcan_portable_shape *s)
{
    for (int32_t i = 0; i < s->channels; ++i) {
        const uint32_t gain = (uint32_t)(int32_t)hil_pcan_gain(noise[i], gains);
        output[i] = hil_pcan_shrink((uint32_t)(((uint64_t)input[i] * gain) >> s->shift));
    }
}

#endif
