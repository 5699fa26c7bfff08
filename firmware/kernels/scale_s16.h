/* Rescaling of sums of int16 activations that fit 32 bits, for cores with the DSP extension: hil_requantize_wide in one
 * instruction. The factor is the multiplier of 15 bits, shifted up so that 32 bits are to be shifted out. */
#ifndef HIL_KERNELS_SCALE_S16_H
#define HIL_KERNELS_SCALE_S16_H

#include "requantize.h"

HIL_INLINE int16_t scale_s16(int32_t sum, int32_t factor, int32_t low, int32_t high)
{
    int32_t made;
    __asm__("smmulr %0, %1, %2" : "=r"(made) : "r"(sum), "r"(factor));
    return (int16_t)hil_clamp(made, low, high);
}

#endif
