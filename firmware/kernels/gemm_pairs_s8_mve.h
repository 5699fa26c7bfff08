/* Products of rows of activations with packed weights, int8, MVE: as gemm_s8_mve.h, for layers of the forms relu and signed
 * (requant_mve.h) and a multiple of eight channels.
 *
 * The even channels of eight and then the odd ones: two times two pixels by four channels. Their sums are requantized
 * together and stored as eight bytes a pixel; of the form signed, the zero point is part of the second product. Every number of units, which
 * are steps of 16 activations and a tail of up to 8, has a function of its own, without a loop over them.
 *
 * Packed weights, per block of eight channels: biases of the even ones; per unit their weights (gemm_s8_mve.h); 16 weights of
 * the first odd channel, unless there is but a tail, the biases of the odd ones and the rest of their weights; multipliers and
 * negated shifts (int8) or factors (int32, signed) of the even ones, and then of the odd ones. Of the odd ones the last unit but two comes first, for its
 * activations are those that were loaded last. */
#ifndef HIL_KERNELS_GEMM_PAIRS_S8_MVE_H
#define HIL_KERNELS_GEMM_PAIRS_S8_MVE_H

#include "gemm_s8_mve.h"

#define HIL_GEMM_PAIRS_MVE_ALONE 8     /* units up to which a last pixel of an odd number is computed alone */
#define HIL_GEMM_PAIRS_MVE_LONGEST 18 /* units */

/* after form and number of units; `alone`: of one pixel, whatever the shape says */
gemm_s8_mve_function gemm_pairs_s8_mve_relu_1, gemm_pairs_s8_mve_relu_2, gemm_pairs_s8_mve_relu_3,
    gemm_pairs_s8_mve_relu_4, gemm_pairs_s8_mve_relu_5, gemm_pairs_s8_mve_relu_6, gemm_pairs_s8_mve_relu_7,
    gemm_pairs_s8_mve_relu_8, gemm_pairs_s8_mve_relu_9, gemm_pairs_s8_mve_relu_10, gemm_pairs_s8_mve_relu_11,
    gemm_pairs_s8_mve_relu_12, gemm_pairs_s8_mve_relu_13, gemm_pairs_s8_mve_relu_14, gemm_pairs_s8_mve_relu_15,
    gemm_pairs_s8_mve_relu_16, gemm_pairs_s8_mve_relu_17, gemm_pairs_s8_mve_relu_18;
gemm_s8_mve_function gemm_pairs_s8_mve_relu_1_tail, gemm_pairs_s8_mve_relu_2_tail, gemm_pairs_s8_mve_relu_3_tail,
    gemm_pairs_s8_mve_relu_4_tail, gemm_pairs_s8_mve_relu_5_tail, gemm_pairs_s8_mve_relu_6_tail,
    gemm_pairs_s8_mve_relu_7_tail, gemm_pairs_s8_mve_relu_8_tail, gemm_pairs_s8_mve_relu_9_tail,
    gemm_pairs_s8_mve_relu_10_tail, gemm_pairs_s8_mve_relu_11_tail, gemm_pairs_s8_mve_relu_12_tail,
    gemm_pairs_s8_mve_relu_13_tail, gemm_pairs_s8_mve_relu_14_tail, gemm_pairs_s8_mve_relu_15_tail,
    gemm_pairs_s8_mve_relu_16_tail, gemm_pairs_s8_mve_relu_17_tail, gemm_pairs_s8_mve_relu_18_tail;
gemm_s8_mve_function gemm_alone_s8_mve_relu_1, gemm_alone_s8_mve_relu_2, gemm_alone_s8_mve_relu_3,
    gemm_alone_s8_mve_relu_4, gemm_alone_s8_mve_relu_5, gemm_alone_s8_mve_relu_6, gemm_alone_s8_mve_relu_7,
    gemm_alone_s8_mve_relu_8;
gemm_s8_mve_function gemm_alone_s8_mve_relu_1_tail, gemm_alone_s8_mve_relu_2_tail, gemm_alone_s8_mve_relu_3_tail,
    gemm_alone_s8_mve_relu_4_tail, gemm_alone_s8_mve_relu_5_tail, gemm_alone_s8_mve_relu_6_tail,
    gemm_alone_s8_mve_relu_7_tail, gemm_alone_s8_mve_relu_8_tail;
gemm_s8_mve_function gemm_pairs_s8_mve_signed_1, gemm_pairs_s8_mve_signed_2, gemm_pairs_s8_mve_signed_3,
    gemm_pairs_s8_mve_signed_4, gemm_pairs_s8_mve_signed_5, gemm_pairs_s8_mve_signed_6, gemm_pairs_s8_mve_signed_7,
    gemm_pairs_s8_mve_signed_8, gemm_pairs_s8_mve_signed_9, gemm_pairs_s8_mve_signed_10, gemm_pairs_s8_mve_signed_11,
    gemm_pairs_s8_mve_signed_12, gemm_pairs_s8_mve_signed_13, gemm_pairs_s8_mve_signed_14,
    gemm_pairs_s8_mve_signed_15, gemm_pairs_s8_mve_signed_16, gemm_pairs_s8_mve_signed_17,
    gemm_pairs_s8_mve_signed_18;
gemm_s8_mve_function gemm_pairs_s8_mve_signed_1_tail, gemm_pairs_s8_mve_signed_2_tail,
    gemm_pairs_s8_mve_signed_3_tail, gemm_pairs_s8_mve_signed_4_tail, gemm_pairs_s8_mve_signed_5_tail,
    gemm_pairs_s8_mve_signed_6_tail, gemm_pairs_s8_mve_signed_7_tail, gemm_pairs_s8_mve_signed_8_tail,
    gemm_pairs_s8_mve_signed_9_tail, gemm_pairs_s8_mve_signed_10_tail, gemm_pairs_s8_mve_signed_11_tail,
    gemm_pairs_s8_mve_signed_12_tail, gemm_pairs_s8_mve_signed_13_tail, gemm_pairs_s8_mve_signed_14_tail,
    gemm_pairs_s8_mve_signed_15_tail, gemm_pairs_s8_mve_signed_16_tail, gemm_pairs_s8_mve_signed_17_tail,
    gemm_pairs_s8_mve_signed_18_tail;
gemm_s8_mve_function gemm_alone_s8_mve_signed_1, gemm_alone_s8_mve_signed_2, gemm_alone_s8_mve_signed_3,
    gemm_alone_s8_mve_signed_4, gemm_alone_s8_mve_signed_5, gemm_alone_s8_mve_signed_6, gemm_alone_s8_mve_signed_7,
    gemm_alone_s8_mve_signed_8;
gemm_s8_mve_function gemm_alone_s8_mve_signed_1_tail, gemm_alone_s8_mve_signed_2_tail,
    gemm_alone_s8_mve_signed_3_tail, gemm_alone_s8_mve_signed_4_tail, gemm_alone_s8_mve_signed_5_tail,
    gemm_alone_s8_mve_signed_6_tail, gemm_alone_s8_mve_signed_7_tail, gemm_alone_s8_mve_signed_8_tail;

#define HIL_GEMM_PAIRS_MVE_CASE(kind, units)                                                        \
    case units:                                                                                    \
        return form == HIL_MVE_PAIRS_RELU                                                          \
                   ? (tail == 0 ? gemm_##kind##_s8_mve_relu_##units : gemm_##kind##_s8_mve_relu_##units##_tail) \
                   : (tail == 0 ? gemm_##kind##_s8_mve_signed_##units : gemm_##kind##_s8_mve_signed_##units##_tail)

/* folds to one function where the arguments are literals, and only that one is linked */
HIL_INLINE gemm_s8_mve_function *gemm_pairs_s8_mve_choose(int32_t form, int32_t steps, int32_t tail)
{
    switch (steps + (tail != 0)) {
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 1);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 2);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 3);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 4);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 5);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 6);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 7);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 8);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 9);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 10);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 11);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 12);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 13);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 14);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 15);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 16);
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 17);
    default:
        HIL_GEMM_PAIRS_MVE_CASE(pairs, 18);
    }
}

HIL_INLINE gemm_s8_mve_function *gemm_alone_s8_mve_choose(int32_t form, int32_t steps, int32_t tail)
{
    switch (steps + (tail != 0)) {
        HIL_GEMM_PAIRS_MVE_CASE(alone, 1);
        HIL_GEMM_PAIRS_MVE_CASE(alone, 2);
        HIL_GEMM_PAIRS_MVE_CASE(alone, 3);
        HIL_GEMM_PAIRS_MVE_CASE(alone, 4);
        HIL_GEMM_PAIRS_MVE_CASE(alone, 5);
        HIL_GEMM_PAIRS_MVE_CASE(alone, 6);
        HIL_GEMM_PAIRS_MVE_CASE(alone, 7);
    default:
        HIL_GEMM_PAIRS_MVE_CASE(alone, 8);
    }
}

HIL_INLINE int gemm_mve_is_pairs(int32_t form)
{
    return form == HIL_MVE_PAIRS_RELU || form == HIL_MVE_PAIRS_SIGNED;
}

HIL_INLINE gemm_s8_mve_function *gemm_mve_choose(int32_t form, int32_t steps, int32_t tail)
{
    return gemm_mve_is_pairs(form) ? gemm_pairs_s8_mve_choose(form, steps, tail) : gemm_s8_mve_choose(form, steps, tail);
}

#endif
