/* SignalFilterBankSquareRoot: roots of uint64, rounded to nearest, shifted right. */
#ifndef HIL_KERNELS_SIGNAL_ROOT_PORTABLE_H
#define HIL_KERNELS_SIGNAL_ROOT_PORTABLE_H

#include <string.h>

#include "kernel.h"

typedef struct {
    int32_t count;
} signal_root_portable_shape;

/* Bit by bit; at most 65535, also of what 65536 would be nearer to. */
HIL_INLINE uint32_t hil_signal_root_32(uint32_t x)
{
    uint32_t root = 0, bit = UINT32_C(1) << 30;
    while (bit > x) {
        bit >>= 2;
    }
    for (; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return x > root && root != UINT16_MAX ? root + 1 : root;
}

HIL_INLINE uint32_t hil_signal_root_64(uint64_t x)
{
    uint64_t root = 0, bit = UINT64_C(1) << 62;
    while (bit > x) {
        bit >>= 2;
    }
    for (; bit != 0; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)(x > root && root != UINT32_MAX ? root + 1 : root);
}

/* input: bytes of uint64, since the arena is aligned to 4 bytes only. */
HIL_INLINE void signal_root_portable(const uint8_t *input, const int32_t *bits, uint32_t *output,
                                     const signal_root_portable_shape *s)
{
    const int32_t shift = bits[0] & 31;
    for (int32_t i = 0; i < s->count; ++i) {
        uint64_t x;
        memcpy(&x, input + 8 * i, 8);
        output[i] = (x >> 32 == 0 ? hil_signal_root_32((uint32_t)x) : hil_signal_root_64(x)) >> shift;
    }
}

#endif
