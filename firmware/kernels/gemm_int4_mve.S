/* See gemm_int4_mve.h. */
#include "gemm_mve_asm.h"

    .equ STEP_BYTES, 56

/* 16 activations of two pixels by four channels, two channels a byte (gemm_int4_mve.h) */
    .macro gemm_step
    vldrb.8     q0, [r3], #16
    vmladava.s8 r0, q0, q2
    vldrb.8     q1, [r5], #16
    vmladava.s8 r8, q1, q2
    vrshr.s8    q2, q2, #4
    vmladava.s8 r2, q0, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r10, q1, q2
    vmladava.s8 r4, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 r12, q1, q3
    vrshr.s8    q3, q3, #4
    vmladava.s8 r6, q0, q3
    vmladava.s8 lr, q1, q3
    .endm

/* Up to 8 activations: lanes of x beyond the tail are not read and are zero, whatever weights they meet. q2 has the 8 bytes
   of the first two channels, then those of the others. */
    .macro gemm_tail
    ldr         r7, [sp, #TAIL]
    vctp.8      r7
    vpstt
    vldrbt.u8   q0, [r3]
    vldrbt.u8   q1, [r5]
    vmladava.s8 r0, q0, q2
    vldrw.32    q3, [r1, #-8]
    vmladava.s8 r8, q1, q2
    vrshr.s8    q2, q2, #4
    vmladava.s8 r2, q0, q2
    vmladava.s8 r10, q1, q2
    vmladava.s8 r4, q0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 r12, q1, q3
    vrshr.s8    q3, q3, #4
    vmladava.s8 r6, q0, q3
    vmladava.s8 lr, q1, q3
    .endm

    .macro gemm_sums
    sub         r0, r0, r2, lsl #4
    sub         r4, r4, r6, lsl #4
    sub         r8, r8, r10, lsl #4
    sub         r12, r12, lr, lsl #4
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    vmov        q1[2], q1[0], r8, r12
    vmov        q1[3], q1[1], r10, lr
    .endm

    gemm gemm_int4_mve_relu, relu, none
    gemm gemm_int4_mve_signed, signed, none
    gemm gemm_int4_mve_general, general, none
    gemm gemm_int4_mve_relu_tail, relu, tail
    gemm gemm_int4_mve_signed_tail, signed, tail
    gemm gemm_int4_mve_general_tail, general, tail
