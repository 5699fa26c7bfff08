/* See gemm_s8_mve.h. */
#include "gemm_mve_asm.h"

    .equ STEP_BYTES, 56

/* 16 activations of two pixels by four channels. Loads stand between the products, which is what the M55 overlaps:
 * the first channel's weights, in q2, are loaded in the step before. After the last step q2 is what follows the
 * weights. */
    .macro gemm_step x0, x1, load_0, load_1
    \load_0
    vmladava.s8 r0, \x0, q2
    \load_1
    vmladava.s8 r8, \x1, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r2, \x0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 r10, \x1, q3
    vmladava.s8 r4, \x0, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r12, \x1, q2
    vmladava.s8 r6, \x0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, \x1, q3
    .endm

/* Up to 8 activations: lanes of x beyond the tail are zero, whatever weights they meet. Weights are 8 bytes a channel, so
   that the one in q2 has taken 8 bytes too many. */
    .macro gemm_tail x0, x1
    vmladava.s8 r0, \x0, q2
    vldrw.32    q3, [r1, #-8]
    vmladava.s8 r8, \x1, q2
    vmladava.s8 r2, \x0, q3
    vldrw.32    q2, [r1], #8
    vmladava.s8 r10, \x1, q3
    vmladava.s8 r4, \x0, q2
    vldrw.32    q3, [r1], #8
    vmladava.s8 r12, \x1, q2
    vmladava.s8 r6, \x0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, \x1, q3
    .endm

    .macro gemm_sums
    .endm

    gemm gemm_s8_mve_relu, relu, none, short
    gemm gemm_s8_mve_relu_tail, relu, tail, short
    gemm gemm_s8_mve_relu_single, relu, none, single
    gemm gemm_s8_mve_relu_tail_single, relu, tail, single
    gemm gemm_s8_mve_relu_long, relu, none, long
    gemm gemm_s8_mve_relu_tail_long, relu, tail, long
    gemm gemm_s8_mve_relu_far, relu, none, far
    gemm gemm_s8_mve_relu_tail_far, relu, tail, far
    gemm gemm_s8_mve_signed, signed, none, short
    gemm gemm_s8_mve_signed_tail, signed, tail, short
    gemm gemm_s8_mve_signed_single, signed, none, single
    gemm gemm_s8_mve_signed_tail_single, signed, tail, single
    gemm gemm_s8_mve_signed_long, signed, none, long
    gemm gemm_s8_mve_signed_tail_long, signed, tail, long
    gemm gemm_s8_mve_signed_far, signed, none, far
    gemm gemm_s8_mve_signed_tail_far, signed, tail, far
    gemm gemm_s8_mve_general, general, none, short
    gemm gemm_s8_mve_general_tail, general, tail, short
    gemm gemm_s8_mve_general_single, general, none, single
    gemm gemm_s8_mve_general_tail_single, general, tail, single
    gemm gemm_s8_mve_general_long, general, none, long
    gemm gemm_s8_mve_general_tail_long, general, tail, long
    gemm gemm_s8_mve_general_far, general, none, far
    gemm gemm_s8_mve_general_tail_far, general, tail, far
#if __ARM_FEATURE_MVE & 2 /* vectors of floats */
    gemm gemm_s8_mve_float, float, none, short
    gemm gemm_s8_mve_float_tail, float, tail, short
    gemm gemm_s8_mve_float_single, float, none, single
    gemm gemm_s8_mve_float_tail_single, float, tail, single
    gemm gemm_s8_mve_float_long, float, none, long
    gemm gemm_s8_mve_float_tail_long, float, tail, long
    gemm gemm_s8_mve_float_far, float, none, far
    gemm gemm_s8_mve_float_tail_far, float, tail, far
#endif
