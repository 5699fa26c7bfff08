/* Products of rows of activations with packed weights of four bits on Armv8.1-M MVE: as gemm_s8_mve.h, in half the bytes.
 *
 * Packed weights, per block of four channels: what the accumulators start at; per step 16 bytes of channels 0 and 1 and 16 of
 * channels 2 and 3; for a tail, 8 of each; the rest as there. A byte is 16 * odd channel's weight + even channel's: VRSHR
 * by four gives the odd one's. Accumulators of bytes, which start at 16 * odd bias + even bias, become the even channel's
 * when 16 times the odd one's is taken away, modulo 2^32. harness/kernels/packed_mve.py proves that every byte fits. */
#ifndef HIL_KERNELS_GEMM_INT4_MVE_H
#define HIL_KERNELS_GEMM_INT4_MVE_H

#include "gemm_s8_mve.h"

gemm_s8_mve_function gemm_int4_mve_relu, gemm_int4_mve_relu_tail, gemm_int4_mve_relu_single,
    gemm_int4_mve_relu_tail_single, gemm_int4_mve_relu_long, gemm_int4_mve_relu_tail_long,
    gemm_int4_mve_relu_far, gemm_int4_mve_relu_tail_far;
gemm_s8_mve_function gemm_int4_mve_signed, gemm_int4_mve_signed_tail, gemm_int4_mve_signed_single,
    gemm_int4_mve_signed_tail_single, gemm_int4_mve_signed_long, gemm_int4_mve_signed_tail_long,
    gemm_int4_mve_signed_far, gemm_int4_mve_signed_tail_far;
gemm_s8_mve_function gemm_int4_mve_general, gemm_int4_mve_general_tail, gemm_int4_mve_general_single,
    gemm_int4_mve_general_tail_single, gemm_int4_mve_general_long, gemm_int4_mve_general_tail_long,
    gemm_int4_mve_general_far, gemm_int4_mve_general_tail_far;

/* folds to one function where the arguments are literals, and only that one is linked */
HIL_INLINE gemm_s8_mve_function *gemm_int4_mve_choose(int32_t form, int32_t steps, int32_t tail)
{
    return form == HIL_MVE_RELU     ? HIL_GEMM_MVE_CHOOSE(gemm_int4_mve_relu, steps, tail)
           : form == HIL_MVE_SIGNED ? HIL_GEMM_MVE_CHOOSE(gemm_int4_mve_signed, steps, tail)
                                    : HIL_GEMM_MVE_CHOOSE(gemm_int4_mve_general, steps, tail);
}

#endif
