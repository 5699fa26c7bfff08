/* See gemm_2x4_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* stack frame */
    .equ X, 0           /* the block's first pixel */
    .equ OUT, 4
    .equ PACKED, 8
    .equ SECOND, 12     /* from the first pixel to the others */
    .equ THIRD, 16
    .equ FOURTH, 20
    .equ WEIGHTS, 24    /* bytes of whole steps, of two channels */
    .equ TAIL, 28
    .equ LEFT, 32       /* pixels still to do */
    .equ COUNT, 36      /* channels still to do */
    .equ TO, 40         /* their output */
    .equ CHANNELS, 44
    .equ X_STEP, 48
    .equ OUT_STEP, 52
    .equ FRAME, 56

/* All channels of four pixels. r9 packed weights, r11 their end but for a tail, r1, r3, r5 and r7 activations; even registers
   accumulate, r0 to r6 one channel, r8 to lr the other; q4 the outputs' offsets, q5 zero point, q6 and q7 clamp. */
    .macro block form
    ldrd        r1, r0, [sp, #X]
    str         r0, [sp, #TO]
    ldr         r9, [sp, #PACKED]
    ldr         r0, [sp, #CHANNELS]
1:
    str         r0, [sp, #COUNT]
    ldrd        r3, r5, [sp, #SECOND]
    ldrd        r7, r11, [sp, #FOURTH]
    add         r3, r3, r1
    add         r5, r5, r1
    add         r7, r7, r1
    ldrd        r0, r8, [r9], #8
    add         r11, r11, r9
    mov         r2, r0
    mov         r4, r0
    mov         r6, r0
    mov         r10, r8
    mov         r12, r8
    mov         lr, r8
    cmp         r9, r11
    beq         3f
2:
    vldrw.u32   q0, [r9], #16
    vldrb.u8    q2, [r1], #16
    vldrw.u32   q1, [r9], #16
    vmladava.s8 r0, q0, q2
    vldrb.u8    q3, [r3], #16
    vmladava.s8 r8, q1, q2
    vmladava.s8 r2, q0, q3
    vldrb.u8    q2, [r5], #16
    vmladava.s8 r10, q1, q3
    vmladava.s8 r4, q0, q2
    vldrb.u8    q3, [r7], #16
    vmladava.s8 r12, q1, q2
    vmladava.s8 r6, q0, q3
    vmladava.s8 lr, q1, q3
    cmp         r9, r11
    bne         2b
3:
    ldr         r11, [sp, #TAIL]
    cmp         r11, #0
    beq         4f
    vctp.8      r11                 /* others are not read and are zero */
    vldrw.u32   q0, [r9], #16
    vldrw.u32   q1, [r9], #16
    vpstt
    vldrbt.u8   q2, [r1]
    vldrbt.u8   q3, [r3]
    vmladava.s8 r0, q0, q2
    vmladava.s8 r8, q1, q2
    vmladava.s8 r2, q0, q3
    vmladava.s8 r10, q1, q3
    vpstt
    vldrbt.u8   q2, [r5]
    vldrbt.u8   q3, [r7]
    vmladava.s8 r4, q0, q2
    vmladava.s8 r12, q1, q2
    vmladava.s8 r6, q0, q3
    vmladava.s8 lr, q1, q3
4:  /* pixels 0 and 2 of both channels in q0, 1 and 3 in q1 */
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r8, r12
    vmov        q1[2], q1[0], r2, r6
    vmov        q1[3], q1[1], r10, lr
    vldrw.u32   q2, [r9], #16
    .ifc \form,general
    vldrw.u32   q3, [r9], #16
    vshl.s32    q0, q0, q3
    vshl.s32    q1, q1, q3
    .endif
    .ifnc \form,float
    vldrw.u32   q3, [r9], #16
    .endif
    ldr         r2, [sp, #TO]
    requant_mve_multiply \form, q0, q2
    requant_mve_multiply \form, q1, q2
    requant_mve_shift \form, q0, q3, q2
    requant_mve_shift \form, q1, q3, q2
    requant_mve_narrow \form, q0, q1, q5, q6, q7
    ldr         r0, [sp, #COUNT]
    vstrb.16    q0, [r2, q4]
    adds        r2, r2, #2
    str         r2, [sp, #TO]
    ldr         r1, [sp, #X]
    subs        r0, r0, #2
    bne         1b
    .endm

    .macro gemm name, form
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    strd        r0, r2, [sp, #X]
    str         r1, [sp, #PACKED]
    ldrd        r4, r5, [r3]        /* pixels, x_step */
    str         r4, [sp, #LEFT]
    ldrd        r6, r7, [r3, #8]    /* steps, tail */
    lsls        r6, r6, #5
    strd        r6, r7, [sp, #WEIGHTS]
    ldrd        r8, r9, [r3, #16]   /* out_c, out_zero */
    str         r8, [sp, #CHANNELS]
    vdup.16     q5, r9
    ldrd        r10, r12, [r3, #24] /* clamp */
    vdup.16     q6, r10
    vdup.16     q7, r12
    ldr         r8, [r3, #36]       /* out_step */
    strd        r5, r8, [sp, #X_STEP]
    /* the other pixels, the last one at most */
    subs        r6, r4, #1
    mov         r9, #0
    mov         r10, #0
    mov         r11, #0
    it          gt
    movgt       r9, r5
    cmp         r6, #1
    ite         gt
    lslgt       r10, r5, #1
    movle       r10, r9
    cmp         r6, #2
    ite         gt
    addgt       r11, r10, r5
    movle       r11, r10
    strd        r9, r10, [sp, #SECOND]
    str         r11, [sp, #FOURTH]
    /* lanes are pixels 0, 1, 0, 1, 2, 3, 2, 3 of channels 0, 0, 1, 1, 0, 0, 1, 1 */
    movs        r0, #0
    vidup.u16   q0, r0, #1
    vshr.u16    q1, q0, #1
    vshr.u16    q2, q0, #2
    vbic.i16    q0, #0xfe
    vbic.i16    q1, #0xfe
    vshl.i16    q2, q2, #1
    vadd.i16    q2, q2, q0
    vdup.16     q3, r6
    vmin.u16    q2, q2, q3
    vmul.i16    q4, q2, r8
    vadd.i16    q4, q4, q1
6:
    block       \form
    ldr         r4, [sp, #LEFT]
    subs        r4, r4, #4
    ble         9f
    str         r4, [sp, #LEFT]
    cmp         r4, #4
    it          gt
    movgt       r4, #4
    ldrd        r6, r8, [sp, #X]
    ldrd        r10, r12, [sp, #X_STEP]
    mla         r6, r4, r10, r6
    mla         r8, r4, r12, r8
    strd        r6, r8, [sp, #X]
    b           6b
9:
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    gemm gemm_2x4_s8_mve_relu, relu
    gemm gemm_2x4_s8_mve_signed, signed
    gemm gemm_2x4_s8_mve_general, general
#if __ARM_FEATURE_MVE & 2 /* vectors of floats */
    gemm gemm_2x4_s8_mve_float, float
#endif
