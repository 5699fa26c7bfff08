/* See fully_connected_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* stack frame */
    .equ ITERATIONS, 0      /* of the loop over steps, four a round */
    .equ ENTRY_8, 4         /* where its first round starts */
    .equ ENTRY_4, 8
    .equ TAIL, 12
    .equ ROWS, 16           /* still to do */
    .equ PACKED, 20
    .equ DEPTH, 24
    .equ EIGHTS, 28
    .equ FOURS, 32
    .equ FRAME, 40

/* 16 activations by eight outputs */
    .macro step_8 advance
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

    .macro step_4 advance
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r0, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r2, q0, q2
    vldrw.32    q1, [r1], #\advance
    vmladava.s8 r4, q0, q1
    vldrw.32    q2, [r1], #\advance
    vmladava.s8 r6, q0, q2
    .endm

/* Up to 8 activations: lanes beyond the tail are not read and are zero, whatever weights they meet. */
    .macro load_tail
    ldr         r7, [sp, #TAIL]
    vctp.8      r7
    vpst
    vldrbt.u8   q0, [r3]
    .endm

/* where the first round of four steps of `bytes` each starts; r6 steps, r10 steps to leave out */
    .macro entry slot, loop, end, bytes
    adr         r12, \loop
    mov         lr, #\bytes
    mla         r12, r10, lr, r12
    cmp         r6, #0
    it          eq
    adreq       r12, \end
    orr         r12, r12, #1
    str         r12, [sp, #\slot]
    .endm

/* r1 packed weights, r3 activations, r11 the row, r7 rounds, r9 outputs still to do, r5 output; even registers
   accumulate; q5 zero point, q6 and q7 clamp */
    .macro fully_connected name, form, tail
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r11, r0
    mov         r5, r2
    ldrd        r4, r8, [r3]        /* rows, depth */
    strd        r4, r1, [sp, #ROWS]
    ldrd        r6, r7, [r3, #8]    /* steps, tail */
    str         r7, [sp, #TAIL]
    ldrd        r4, r9, [r3, #16]   /* eights, fours */
    strd        r8, r4, [sp, #DEPTH]
    str         r9, [sp, #FOURS]
    ldrd        r10, r12, [r3, #24] /* out_zero, clamp_min */
    vdup.16     q5, r10
    ldr         r10, [r3, #32]      /* clamp_max */
    vdup.16     q6, r12
    vdup.16     q7, r10
    add         r2, r6, #3
    lsr         r2, r2, #2
    str         r2, [sp, #ITERATIONS]
    rsb         r10, r6, #0
    and         r10, r10, #3
    entry       ENTRY_8, 2f, 3f, 68
    entry       ENTRY_4, 6f, 7f, 36
0:  /* a row */
    ldr         r1, [sp, #PACKED]
    ldr         r9, [sp, #EIGHTS]
    cmp         r9, #0
    beq.w       4f
1:  /* eight outputs */
    ldm         r1!, {r0, r2, r4, r6}
    ldm         r1!, {r8, r10, r12, lr}
    mov         r3, r11
    ldr         r7, [sp, #ITERATIONS]
    ldr         pc, [sp, #ENTRY_8]
    .balign     4
2:
    .rept       4
    vldrb.8     q0, [r3], #16
    step_8      16
    .endr
    subs        r7, r7, #1
    bne.w       2b
    .balign     4
3:
    .ifc \tail,tail
    load_tail
    step_8      8
    .endif
    vmov        q0[2], q0[0], r0, r8
    vmov        q0[3], q0[1], r4, r12
    vmov        q1[2], q1[0], r2, r10
    vmov        q1[3], q1[1], r6, lr
    .ifc \form,general
    vldrb.s32   q2, [r1], #4
    vldrb.s32   q3, [r1], #4
    vshl.s32    q0, q0, q2
    vshl.s32    q1, q1, q3
    .endif
    vldrw.32    q2, [r1], #16
    vldrw.32    q3, [r1], #16
    requant_mve_multiply \form, q0, q2
    requant_mve_multiply \form, q1, q3
    requant_mve_shifts \form, q2, r1
    requant_mve_shifts \form, q3, r1
    requant_mve_shift \form, q0, q2, q4
    requant_mve_shift \form, q1, q3, q4
    requant_mve_narrow \form, q0, q1, q5, q6, q7
    vctp.16     r9
    vpst
    vstrbt.16   q0, [r5], #8
    subs        r9, r9, #8
    bgt.w       1b
    add         r5, r5, r9        /* what the last block had less than eight */
4:
    ldr         r9, [sp, #FOURS]
    cmp         r9, #0
    beq.w       8f
    ldm         r1!, {r0, r2, r4, r6}
    mov         r3, r11
    ldr         r7, [sp, #ITERATIONS]
    ldr         pc, [sp, #ENTRY_4]
    .balign     4
6:
    .rept       4
    vldrb.8     q0, [r3], #16
    step_4      16
    .endr
    subs        r7, r7, #1
    bne.w       6b
    .balign     4
7:
    .ifc \tail,tail
    load_tail
    step_4      8
    .endif
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    .ifc \form,general
    vldrb.s32   q2, [r1], #4
    vshl.s32    q0, q0, q2
    .endif
    vldrw.32    q2, [r1], #16
    requant_mve_multiply \form, q0, q2
    requant_mve_shifts \form, q2, r1
    requant_mve_shift \form, q0, q2, q4
    requant_mve_narrow \form, q0, q0, q5, q6, q7
    vctp.32     r9
    vpst
    vstrbt.32   q0, [r5]
    add         r5, r5, r9
8:
    ldr         r2, [sp, #DEPTH]
    ldr         r4, [sp, #ROWS]
    add         r11, r11, r2
    subs        r4, r4, #1
    str         r4, [sp, #ROWS]
    bne.w       0b
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
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
