/* Products of rows of activations with packed weights, int8, on Armv8.1-M MVE, for an even number of channels of which few
 * are there: four pixels of two channels at a time, 16 instructions for 128 products.
 *
 * The shape is that of gemm_1x8_s8_mve.h; 3 * out_step + 1 is below 2^16. The last pixels of four move back to end with the
 * last one; fewer than four have it several times.
 *
 * Packed weights, per two channels: two biases (int32, the input's zero point folded in); for each step 16 weights of either,
 * zeros beyond a tail; multipliers, as vectors (a, b, a, b) of int32; in the general form left shifts; right shifts, negated,
 * or factors in the form signed; in the form float factors (float32) instead of all of these. */
#ifndef HIL_KERNELS_GEMM_2X4_S8_MVE_H
#define HIL_KERNELS_GEMM_2X4_S8_MVE_H

#include "gemm_s8_mve.h"

gemm_s8_mve_function gemm_2x4_s8_mve_relu, gemm_2x4_s8_mve_signed, gemm_2x4_s8_mve_general, gemm_2x4_s8_mve_float;

/* folds to one function where the argument is a literal */
HIL_INLINE gemm_s8_mve_function *gemm_2x4_s8_mve_choose(int32_t form)
{
    if (form == HIL_MVE_RELU) {
        return gemm_2x4_s8_mve_relu;
    }
    if (form == HIL_MVE_SIGNED) {
        return gemm_2x4_s8_mve_signed;
    }
    return form == HIL_MVE_FLOAT ? gemm_2x4_s8_mve_float : gemm_2x4_s8_mve_general;
}

#endif
