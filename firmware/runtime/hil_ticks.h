/* Spans of time from a counter of 32 bits and a coarse one that does not wrap. */
#ifndef HIL_TICKS_H
#define HIL_TICKS_H

#include <stdint.h>

/* The fine counter's difference, with the wraps that the coarse one tells of. */
static inline uint64_t hil_elapsed(uint32_t start, uint32_t stop, uint64_t coarse)
{
    uint64_t fine = (uint32_t)(stop - start);
    if (coarse <= fine) {
        return fine;
    }
    return fine + (((coarse - fine + 0x80000000U) >> 32) << 32);
}

#endif
