/* Four channels of one pixel at a time, weights of 16 values: 29 instructions for 16 products.
 *
 * A word of weights is a byte a channel: the index at the activation in the low half of a word of the column, and 16 times
 * that at the one in the high half. The table before the column, 256 words, has both values for every byte. */
#ifndef HIL_KERNELS_GEMM_4X1_LUT16_DSP_H
#define HIL_KERNELS_GEMM_4X1_LUT16_DSP_H

#include "gemm_dsp.h"

#define HIL_LUT16_PAIRS 256

gemm_4x1 gemm_4x1_lut16_dsp;

#endif
