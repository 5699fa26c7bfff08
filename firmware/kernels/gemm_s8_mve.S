/* See gemm_s8_mve.h. */
#include "gemm_mve_asm.h"

    .equ STEP_BYTES, 56

/* 16 activations of two pixels by four channels. Loads stand between the products, which is what the M55 overlaps:
 * the first channel's weights, in q2, are loaded in the step before. After the last step q2 is what follows the
 * weights. */
    .macro gemm_step
    vldrb.8     q0, [r3], #16
    vmladava.s8 r0, q0, q2
    vldrb.8     q1, [r5], #16
    vmladava.s8 r8, q1, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r2, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 r10, q1, q3
    vmladava.s8 r4, q0, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r12, q1, q2
    vmladava.s8 r6, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, q1, q3
    .endm

/* Up to 8 activations: lanes of x beyond the tail are not read and are zero, whatever weights they meet. Weights are 8
   bytes a channel, so that the one in q2 has taken 8 bytes too many. */
    .macro gemm_tail
    ldr         r7, [sp, #TAIL]
    vctp.8      r7
    vpstt
    vldrbt.u8   q0, [r3]
    vldrbt.u8   q1, [r5]
    vmladava.s8 r0, q0, q2
    vldrw.32    q3, [r1, #-8]
    vmladava.s8 r8, q1, q2
    vmladava.s8 r2, q0, q3
    vldrw.32    q2, [r1], #8
    vmladava.s8 r10, q1, q3
    vmladava.s8 r4, q0, q2
    vldrw.32    q3, [r1], #8
    vmladava.s8 r12, q1, q2
    vmladava.s8 r6, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, q1, q3
    .endm

    .macro gemm_sums
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    vmov        q1[2], q1[0], r8, r12
    vmov        q1[3], q1[1], r10, lr
    .endm

    gemm gemm_s8_mve_relu, relu, none
    gemm gemm_s8_mve_signed, signed, none
    gemm gemm_s8_mve_general, general, none
    gemm gemm_s8_mve_relu_tail, relu, tail
    gemm gemm_s8_mve_signed_tail, signed, tail
    gemm gemm_s8_mve_general_tail, general, tail
#if __ARM_FEATURE_MVE & 2 /* vectors of floats */
    gemm gemm_s8_mve_float, float, none
    gemm gemm_s8_mve_float_tail, float, tail
#endif
