/* Dot products of int8 in whole 16 taps, for cores with the DSP extension; all pointers lie at words, steps is at least 1.
 * Products of wrapped sums: as many as there are, in any order. */
#ifndef HIL_KERNELS_DOT_S8_DSP_H
#define HIL_KERNELS_DOT_S8_DSP_H

#include "kernel.h"

/* a * b */
uint32_t dot_s8_dsp(const int8_t *a, const int8_t *b, int32_t steps);

/* a * b0 and a * b1 */
void dot_pair_s8_dsp(const int8_t *a, const int8_t *b0, const int8_t *b1, int32_t steps, uint32_t *sums);

#endif
