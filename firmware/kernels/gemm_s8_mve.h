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

/* a pixel has up to 8 steps, its tail being one, or a single one, or up to 18, or more */
gemm_s8_mve_function gemm_s8_mve_relu, gemm_s8_mve_relu_tail, gemm_s8_mve_relu_single,
    gemm_s8_mve_relu_tail_single, gemm_s8_mve_relu_long, gemm_s8_mve_relu_tail_long,
    gemm_s8_mve_relu_far, gemm_s8_mve_relu_tail_far;
gemm_s8_mve_function gemm_s8_mve_signed, gemm_s8_mve_signed_tail, gemm_s8_mve_signed_single,
    gemm_s8_mve_signed_tail_single, gemm_s8_mve_signed_long, gemm_s8_mve_signed_tail_long,
    gemm_s8_mve_signed_far, gemm_s8_mve_signed_tail_far;
gemm_s8_mve_function gemm_s8_mve_general, gemm_s8_mve_general_tail, gemm_s8_mve_general_single,
    gemm_s8_mve_general_tail_single, gemm_s8_mve_general_long, gemm_s8_mve_general_tail_long,
    gemm_s8_mve_general_far, gemm_s8_mve_general_tail_far;
gemm_s8_mve_function gemm_s8_mve_float, gemm_s8_mve_float_tail, gemm_s8_mve_float_single,
    gemm_s8_mve_float_tail_single, gemm_s8_mve_float_long, gemm_s8_mve_float_tail_long,
    gemm_s8_mve_float_far, gemm_s8_mve_float_tail_far;

/* which of a form's functions it is; one macro, so that a name is put together before it is looked at */
#define HIL_GEMM_MVE_CHOOSE(name, steps, tail)               \
    ((tail) == 0 ? ((steps) == 1    ? (name##_single)        \
                    : (steps) <= 8  ? (name)                 \
                    : (steps) <= 18 ? (name##_long)          \
                                    : (name##_far))          \
                 : ((steps) == 0   ? (name##_tail_single)    \
                    : (steps) < 8  ? (name##_tail)           \
                    : (steps) < 18 ? (name##_tail_long)      \
                                   : (name##_tail_far)))

/* folds to one function where the arguments are literals, and only that one is linked */
HIL_INLINE gemm_s8_mve_function *gemm_s8_mve_choose(int32_t form, int32_t steps, int32_t tail)
{
    return form == HIL_MVE_RELU     ? HIL_GEMM_MVE_CHOOSE(gemm_s8_mve_relu, steps, tail)
           : form == HIL_MVE_SIGNED ? HIL_GEMM_MVE_CHOOSE(gemm_s8_mve_signed, steps, tail)
           : form == HIL_MVE_FLOAT  ? HIL_GEMM_MVE_CHOOSE(gemm_s8_mve_float, steps, tail)
                                    : HIL_GEMM_MVE_CHOOSE(gemm_s8_mve_general, steps, tail);
}

#endif
