/* See gemm_int4_mve.h. */
#include "gemm_mve_asm.h"

    .equ STEP_BYTES, 56

/* 16 activations of two pixels by four channels: a byte is 16 * odd channel's weight + even channel's, so that products
 * with it are 16 times the odd channel's and the even one's; shifted left by four they are 16 times the even one's. */
    .macro gemm_step
    vldrb.8     q0, [r3], #16
    vmladava.s8 r2, q0, q2
    vldrb.8     q1, [r5], #16
    vmladava.s8 r10, q1, q2
    vshl.i8     q2, q2, #4
    vmladava.s8 r0, q0, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r8, q1, q2
    vmladava.s8 r6, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, q1, q3
    vshl.i8     q3, q3, #4
    vmladava.s8 r4, q0, q3
    vmladava.s8 r12, q1, q3
    .endm

/* Up to 8 activations: lanes of x beyond the tail are not read and are zero, whatever weights they meet. q2 has the 8 bytes
   of the first two channels, then those of the others. */
    .macro gemm_tail
    ldr         r7, [sp, #TAIL]
    vctp.8      r7
    vpstt
    vldrbt.u8   q0, [r3]
    vldrbt.u8   q1, [r5]
    vmladava.s8 r2, q0, q2
    vldrw.32    q3, [r1, #-8]
    vmladava.s8 r10, q1, q2
    vshl.i8     q2, q2, #4
    vmladava.s8 r0, q0, q2
    vmladava.s8 r8, q1, q2
    vmladava.s8 r6, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, q1, q3
    vshl.i8     q3, q3, #4
    vmladava.s8 r4, q0, q3
    vmladava.s8 r12, q1, q3
    .endm

    .macro gemm_sums
    sub         r2, r2, r0, asr #4
    sub         r6, r6, r4, asr #4
    sub         r10, r10, r8, asr #4
    sub         lr, lr, r12, asr #4
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    vshr.s32    q0, q0, #4
    vmov        q1[2], q1[0], r8, r12
    vmov        q1[3], q1[1], r10, lr
    vshr.s32    q1, q1, #4
    .endm

    gemm gemm_int4_mve_relu, relu, none
    gemm gemm_int4_mve_signed, signed, none
    gemm gemm_int4_mve_general, general, none
    gemm gemm_int4_mve_relu_tail, relu, tail
    gemm gemm_int4_mve_signed_tail, signed, tail
    gemm gemm_int4_mve_general_tail, general, tail
