/* Four channels of two pixels at a time, weights of four bits: 27 instructions for 32 products.
 *
 * A block is its weights, two words a group of taps; what four channels' sums start with, doubled; 4 multipliers; a word of
 * four shifts. Four weights share a 16-bit lane (gemm_int4_dsp_asm.h); harness/kernels/gemm.py proves that none overflows. */
#ifndef HIL_KERNELS_GEMM_4X2_INT4_DSP_H
#define HIL_KERNELS_GEMM_4X2_INT4_DSP_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_int4_dsp;

#endif
