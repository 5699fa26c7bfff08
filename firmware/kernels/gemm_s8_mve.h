/* Products of rows of activations with packed weights, int8, on Armv8.1-M MVE: the core of the convolutions.
 *
 * Two pixels and four output channels at a time: eight 32-bit accumulators, fed by VMLADAVA with 16 products an
 * instruction. A pixel's `steps` * 16 + `tail` activations lie side by side, x_step bytes after those of the pixel
 * before.
 *
 * Packed weights, per block of four channels: 4 biases (int32, the input's zero point folded in); per step 16 weights
 * of each of the 4 channels; for a tail, 8 weights of each; 4 multipliers (int32); in the general form 4 left shifts
 * (int8); 4 right shifts (int8, negated); in the form float 4 factors (float32) instead of all these. When out_c is no
 * multiple of 4, the last block starts at channel out_c - 4 and computes some channels again; fewer than 4 are one block
 * that has the last one several times. */
#ifndef HIL_KERNELS_GEMM_S8_MVE_H
#define HIL_KERNELS_GEMM_S8_MVE_H

#include "mve.h"

typedef struct {
    int32_t pixels, x_step;
    int32_t steps; /* of 16 activations */
    int32_t tail;  /* activations after them, 0..8 */
    int32_t out_c, out_zero, clamp_min, clamp_max;
    int32_t form;
    int32_t out_step; /* from a pixel of the output to the next; out_c where nothing lies between them */
} gemm_s8_mve_shape;

typedef void gemm_s8_mve_function(const int8_t *x, const int32_t *packed, int8_t *output, const gemm_s8_mve_shape *s);

gemm_s8_mve_function gemm_s8_mve_relu, gemm_s8_mve_signed, gemm_s8_mve_general;
gemm_s8_mve_function gemm_s8_mve_float, gemm_s8_mve_float_tail;
gemm_s8_mve_function gemm_s8_mve_relu_tail, gemm_s8_mve_signed_tail, gemm_s8_mve_general_tail;

/* folds to one function where the arguments are literals, and only that one is linked */
HIL_INLINE gemm_s8_mve_function *gemm_s8_mve_choose(int32_t form, int32_t tail)
{
    if (form == HIL_MVE_RELU) {
        return tail == 0 ? gemm_s8_mve_relu : gemm_s8_mve_relu_tail;
    }
    if (form == HIL_MVE_SIGNED) {
        return tail == 0 ? gemm_s8_mve_signed : gemm_s8_mve_signed_tail;
    }
    if (form == HIL_MVE_FLOAT) {
        return tail == 0 ? gemm_s8_mve_float : gemm_s8_mve_float_tail;
    }
    return tail == 0 ? gemm_s8_mve_general : gemm_s8_mve_general_tail;
}

#endif
