/* Sigmoid and tanh of int16 by TensorFlow Lite Micro's table of 256 points (harness/quantization/sigmoid16.py): Q0.15.
 *
 * One more point, after the last, stands beside it where it is interpolated with nothing. */
#ifndef HIL_KERNELS_SIGMOID16_H
#define HIL_KERNELS_SIGMOID16_H

#include "kernel.h"

#define HIL_SIGMOID_LAST 255u

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
    const uint32_t size = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
    const uint32_t magnitude = size < HIL_SIGMOID_LAST << 8 ? size : HIL_SIGMOID_LAST << 8;
    const uint16_t *place = table + (magnitude >> 8);
    const int32_t result = (int32_t)(((uint32_t)place[0] << 8) + (magnitude & 0xff) * (uint32_t)(place[1] - place[0]));
    return (x >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1) >> 8;
}

#endif
