/* See gemm_int4_mve.h. */
#include "gemm_mve_asm.h"

    .equ STEP_BYTES, 56

/* 16 activations of two pixels by four channels, two channels a byte (gemm_int4_mve.h) */
    .macro gemm_step x0, x1, load_0, load_1
    \load_0
    vmladava.s8 r0, \x0, q2
    \load_1
    vmladava.s8 r8, \x1, q2
    vrshr.s8    q2, q2, #4
    vmladava.s8 r2, \x0, q2
    vldrw.32    q3, [r1], #16
    vmladava.s8 r10, \x1, q2
    vmladava.s8 r4, \x0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 r12, \x1, q3
    vrshr.s8    q3, q3, #4
    vmladava.s8 r6, \x0, q3
    vmladava.s8 lr, \x1, q3
    .endm

/* Up to 8 activations: lanes of x beyond the tail are zero, whatever weights they meet. q2 has the 8 bytes of the first two
   channels, then those of the others. */
    .macro gemm_tail x0, x1
    vmladava.s8 r0, \x0, q2
    vldrw.32    q3, [r1, #-8]
    vmladava.s8 r8, \x1, q2
    vrshr.s8    q2, q2, #4
    vmladava.s8 r2, \x0, q2
    vmladava.s8 r10, \x1, q2
    vmladava.s8 r4, \x0, q3
    vldrw.32    q2, [r1], #16
    vmladava.s8 r12, \x1, q3
    vrshr.s8    q3, q3, #4
    vmladava.s8 r6, \x0, q3
    vmladava.s8 lr, \x1, q3
    .endm

    .macro gemm_sums
    sub         r0, r0, r2, lsl #4
    sub         r4, r4, r6, lsl #4
    sub         r8, r8, r10, lsl #4
    sub         r12, r12, lr, lsl #4
    .endm

    gemm gemm_int4_mve_relu, relu, none, short
    gemm gemm_int4_mve_relu_tail, relu, tail, short
    gemm gemm_int4_mve_relu_single, relu, none, single
    gemm gemm_int4_mve_relu_tail_single, relu, tail, single
    gemm gemm_int4_mve_relu_long, relu, none, long
    gemm gemm_int4_mve_relu_tail_long, relu, tail, long
    gemm gemm_int4_mve_relu_far, relu, none, far
    gemm gemm_int4_mve_relu_tail_far, relu, tail, far
    gemm gemm_int4_mve_signed, signed, none, short
    gemm gemm_int4_mve_signed_tail, signed, tail, short
    gemm gemm_int4_mve_signed_single, signed, none, single
    gemm gemm_int4_mve_signed_tail_single, signed, tail, single
    gemm gemm_int4_mve_signed_long, signed, none, long
    gemm gemm_int4_mve_signed_tail_long, signed, tail, long
    gemm gemm_int4_mve_signed_far, signed, none, far
    gemm gemm_int4_mve_signed_tail_far, signed, tail, far
    gemm gemm_int4_mve_general, general, none, short
    gemm gemm_int4_mve_general_tail, general, tail, short
    gemm gemm_int4_mve_general_single, general, none, single
    gemm gemm_int4_mve_general_tail_single, general, tail, single
    gemm gemm_int4_mve_general_long, general, none, long
    gemm gemm_int4_mve_general_tail_long, general, tail, long
    gemm gemm_int4_mve_general_far, general, none, far
    gemm gemm_int4_mve_general_tail_far, general, tail, far
