/* Sigmoid and tanh of int16 by TensorFlow Lite Micro's table of 256 points (harness/quantization/sigmoid16.py): Q0.15. */
#ifndef HIL_KERNELS_SIGMOID16_H
#define HIL_KERNELS_SIGMOID16_H

#include "kernel.h"

#define HIL_SIGMOID_LAST 255

/* x in units of 2^-14 / 0.75: 3 times an int16, so that its place is never the last */
HIL_INLINE int32_t hil_sigmoid16(const uint16_t *table, int32_t x)
{
    const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
    const uint16_t *place = table + (magnitude >> 9);
    uint32_t result = ((uint32_t)place[0] << 9) + (magnitude & 0x1ff) * (uint32_t)(place[1] - place[0]);
    result = x >= 0 ? result + (1u << 9) : (UINT32_C(1) << 25) - result + (1u << 9) - 1;
    return (int32_t)(result >> 10);
}

/* the same units, any magnitude that int32 holds */
HIL_INLINE int32_t hil_tanh16(const uint16_t *table, int32_t x)
{
    const uint32_t magnitude = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
    const uint32_t place = magnitude >> 8;
    int32_t result = 0xffff << 8;
    if (place < HIL_SIGMOID_LAST) {
        const uint32_t low = table[place];
        result = (int32_t)((low << 8) + (magnitude & 0xff) * (table[place + 1] - low));
    }
    return (x >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1) >> 8;
}

#endif
