/* Dot products of one row of int16 with four rows of int8 weights in 64 bits, on Armv8.1-M MVE. */
#ifndef HIL_KERNELS_DOT_S16_LONG_MVE_H
#define HIL_KERNELS_DOT_S16_LONG_MVE_H

#include "kernel.h"

/* w: [taps / 8, 4, 8], filled up with zeros */
void dot_s16_long_mve(int64_t *sums, const int16_t *x, const int8_t *w, int32_t taps);

#endif
