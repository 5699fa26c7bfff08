/* How many bits a number takes. */
#ifndef HIL_KERNELS_SIGNAL_BITS_H
#define HIL_KERNELS_SIGNAL_BITS_H

#include "kernel.h"

HIL_INLINE int32_t hil_bits(uint32_t x)
{
#if defined(__GNUC__)
    return x == 0 ? 0 : 32 - __builtin_clz(x);
#else
    int32_t bits = 0;
    for (; x != 0; x >>= 1) {
        ++bits;
    }
    return bits;
#endif
}

#endif
