/* The part of a sliding window that lies inside the image, along one axis. */
#ifndef HIL_KERNELS_WINDOW_H
#define HIL_KERNELS_WINDOW_H

#include "requantize.h"

/* first tap k with start + k * dilation >= 0 */
HIL_INLINE int32_t hil_first_tap(int32_t start, int32_t dilation)
{
    return start >= 0 ? 0 : (-start + dilation - 1) / dilation;
}

/* one past the last tap k < taps with start + k * dilation < size */
HIL_INLINE int32_t hil_end_tap(int32_t start, int32_t dilation, int32_t taps, int32_t size)
{
    const int32_t room = size - start;
    const int32_t end = room <= 0 ? 0 : (room + dilation - 1) / dilation;
    return end < taps ? end : taps;
}

#endif
