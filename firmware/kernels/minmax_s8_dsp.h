/* The larger and the smaller of each of four int8, for cores with the DSP extension. */
#ifndef HIL_KERNELS_MINMAX_S8_DSP_H
#define HIL_KERNELS_MINMAX_S8_DSP_H

#include "kernel.h"

HIL_INLINE uint32_t hil_max_s8x4(uint32_t x, uint32_t y)
{
    uint32_t r;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(x), "r"(y));
    return r;
}

HIL_INLINE uint32_t hil_min_s8x4(uint32_t x, uint32_t y)
{
    uint32_t r;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(r) : "r"(x), "r"(y));
    return r;
}

#endif
