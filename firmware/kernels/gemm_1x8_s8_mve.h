/* Products of rows of activations with packed weights, int8, on Armv8.1-M MVE, for few output channels: eight pixels of
 * one channel at a time, where gemm_s8_mve.h has two pixels of four.
 *
 * The shape is that of gemm_s8_mve.h, but for `tail`: 0..15 activations after `steps` of 16; nothing beyond a pixel's
 * activations is read. `out_c` channels lie side by side in the output; 7 * out_step is below 2^16. The last pixels of
 * eight, or of four where fewer than eight are left, move back to end with the last one, so that some are computed again.
 *
 * Packed weights, per channel: bias (int32, the input's zero point folded in), multiplier (int32), negated right shift
 * (int32), in the general form left shift (int32); in the form float a factor (float32) instead of all but the bias;
 * then 16 weights for each step, zeros beyond a tail. */
#ifndef HIL_KERNELS_GEMM_1X8_S8_MVE_H
#define HIL_KERNELS_GEMM_1X8_S8_MVE_H

#include "gemm_s8_mve.h"

gemm_s8_mve_function gemm_1x8_s8_mve_relu, gemm_1x8_s8_mve_signed, gemm_1x8_s8_mve_general, gemm_1x8_s8_mve_float;

/* folds to one function where the argument is a literal */
HIL_INLINE gemm_s8_mve_function *gemm_1x8_s8_mve_choose(int32_t form)
{
    if (form == HIL_MVE_RELU) {
        return gemm_1x8_s8_mve_relu;
    }
    if (form == HIL_MVE_SIGNED) {
        return gemm_1x8_s8_mve_signed;
    }
    return form == HIL_MVE_FLOAT ? gemm_1x8_s8_mve_float : gemm_1x8_s8_mve_general;
}

#endif
