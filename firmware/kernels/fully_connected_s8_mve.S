/* See fully_connected_s8_mve.h. */
#include "fully_connected_mve_asm.h"

    .equ STEP_8_BYTES, 68
    .equ STEP_4_BYTES, 36

/* 16 activations by eight outputs */
    .macro products_8 advance
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r0, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r2, q0, q2
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r4, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r6, q0, q2
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r8, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r10, q0, q2
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r12, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 lr, q0, q2
    .endm

    .macro products_4 advance
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r0, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r2, q0, q2
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r4, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r6, q0, q2
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
    vmov        q0[2], q0[0], r0, r8
    vmov        q0[3], q0[1], r4, r12
    vmov        q1[2], q1[0], r2, r10
    vmov        q1[3], q1[1], r6, lr
    .endm

    .macro sums_4
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    .endm

    fully_connected fully_connected_s8_mve_relu, relu, none
    fully_connected fully_connected_s8_mve_relu_tail, relu, tail
    fully_connected fully_connected_s8_mve_signed, signed, none
    fully_connected fully_connected_s8_mve_signed_tail, signed, tail
    fully_connected fully_connected_s8_mve_general, general, none
    fully_connected fully_connected_s8_mve_general_tail, general, tail
#if __ARM_FEATURE_MVE & 2 /* vectors of floats */
    fully_connected fully_connected_s8_mve_float, float, none
    fully_connected fully_connected_s8_mve_float_tail, float, tail
#endif
