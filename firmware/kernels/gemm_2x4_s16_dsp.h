/* Products of int16 columns of four pixels and int8 rows of two output channels, with the DSP extension. */
#ifndef HIL_KERNELS_GEMM_2X4_S16_DSP_H
#define HIL_KERNELS_GEMM_2X4_S16_DSP_H

#include "kernel.h"

/* columns: pairs of taps, of four pixels in turn, from `columns` to `end`, a multiple of four taps.
 * weights: per two taps, both rows at the first and both at the second.
 * sums: what the two rows start with, in sums[0] and sums[4]; then four pixels of the first row, four of the second. */
void gemm_2x4_s16_dsp(int32_t *sums, const int16_t *columns, const int32_t *weights, const int16_t *end);

#endif
