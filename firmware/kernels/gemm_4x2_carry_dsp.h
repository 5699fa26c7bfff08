/* Four channels of two pixels at a time, weights of two channels in one 16-bit lane: 14 instructions for 16 products.
 *
 * lane = 256 * odd + even; P collects lane * x = 256 * S_odd + S_even modulo 2^32, Q collects S_even (SXTB16 cuts the even
 * weights out), and S_odd = (P - Q) >> 8 is exact while |S_odd| < 2^23. */
#ifndef HIL_KERNELS_GEMM_4X2_CARRY_DSP_H
#define HIL_KERNELS_GEMM_4X2_CARRY_DSP_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_carry_dsp;

#endif
