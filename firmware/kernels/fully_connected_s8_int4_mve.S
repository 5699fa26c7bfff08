/* See fully_connected_s8_int4_mve.h. */
#include "fully_connected_mve_asm.h"

    .equ STEP_8_BYTES, 68
    .equ STEP_4_BYTES, 36

/* 16 activations by eight outputs, two a byte (gemm_int4_mve.h) */
    .macro products_8 advance
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r0, q0, q1
    vrshr.s8    q2, q1, #4
    vmladava.s8 r2, q0, q2
    vldrw.32    q3, [r1], #\advance
    vmladava.s8 r4, q0, q3
    vrshr.s8    q4, q3, #4
    vmladava.s8 r6, q0, q4
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r8, q0, q1
    vrshr.s8    q2, q1, #4
    vmladava.s8 r10, q0, q2
    vldrw.32    q3, [r1], #\advance
    vmladava.s8 r12, q0, q3
    vrshr.s8    q4, q3, #4
    vmladava.s8 lr, q0, q4
    .endm

    .macro products_4 advance
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r0, q0, q1
    vrshr.s8    q2, q1, #4
    vmladava.s8 r2, q0, q2
    vldrw.32    q3, [r1], #\advance
    vmladava.s8 r4, q0, q3
    vrshr.s8    q4, q3, #4
    vmladava.s8 r6, q0, q4
    .endm

    .macro step_8
    products_8  16
    .endm

    .macro tail_8
    products_8  8
    .endm

    .macro step_4
    products_4  16
    .endm

    .macro tail_4
    products_4  8
    .endm

    .macro sums_8
    sub         r0, r0, r2, lsl #4
    sub         r4, r4, r6, lsl #4
    sub         r8, r8, r10, lsl #4
    sub         r12, r12, lr, lsl #4
    vmov        q0[2], q0[0], r0, r8
    vmov        q0[3], q0[1], r4, r12
    vmov        q1[2], q1[0], r2, r10
    vmov        q1[3], q1[1], r6, lr
    .endm

    .macro sums_4
    sub         r0, r0, r2, lsl #4
    sub         r4, r4, r6, lsl #4
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    .endm

    fully_connected fully_connected_s8_int4_mve_relu, relu, none
    fully_connected fully_connected_s8_int4_mve_relu_tail, relu, tail
    fully_connected fully_connected_s8_int4_mve_signed, signed, none
    fully_connected fully_connected_s8_int4_mve_signed_tail, signed, tail
    fully_connected fully_connected_s8_int4_mve_general, general, none
    fully_connected fully_connected_s8_int4_mve_general_tail, general, tail
