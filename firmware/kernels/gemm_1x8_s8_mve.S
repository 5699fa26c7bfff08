/* See gemm_1x8_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* stack frame */
    .equ X, 0           /* the block's first pixel */
    .equ OUT, 4
    .equ LEFT, 8        /* pixels still to do */
    .equ PIXELS, 12
    .equ STEPS, 16      /* of 16 activations */
    .equ TAIL, 20
    .equ PACKED, 24
    .equ CHANNELS, 28
    .equ COUNT, 32      /* channels still to do */
    .equ X_STEP, 36     /* from a pixel to the next */
    .equ OUT_STEP, 40
    .equ FRAME, 48

/* 16 activations, q0 their weights, of two pixels; loads stand apart from the products that take them */
    .macro products_of_two first, second
    vldrb.8     q1, [r1]
    add         r1, r1, r5
    vldrb.8     q2, [r1]
    add         r1, r1, r5
    vmladava.s8 \first, q0, q1
    vmladava.s8 \second, q0, q2
    .endm

/* the same of a tail, p0 its lanes: others are not read and are zero */
    .macro tails_of_two first, second
    vpst
    vldrbt.u8   q1, [r1]
    add         r1, r1, r5
    vpst
    vldrbt.u8   q2, [r1]
    add         r1, r1, r5
    vmladava.s8 \first, q0, q1
    vmladava.s8 \second, q0, q2
    .endm

    .macro of_all take, pixels
    \take       r0, r2
    \take       r4, r6
    .if \pixels > 4
    \take       r8, r10
    \take       r12, lr
    .endif
    .endm

/* All channels of `pixels` pixels. r3 packed weights, r1 activations, r5 from a pixel to the next, r7 steps still to do,
   r9 from behind the last pixel to the first pixel's next step, r11 output; even registers accumulate; q4 the outputs'
   offsets, q5 zero point, q6 and q7 clamp. */
    .macro block form, pixels
    ldr         r3, [sp, #PACKED]
    ldr         r11, [sp, #OUT]
    ldr         r0, [sp, #CHANNELS]
    mov         r9, #16
    sub         r9, r9, r5, lsl #(\pixels / 4 + 1)
1:
    str         r0, [sp, #COUNT]
    ldr         r0, [r3], #4
    ldr         r7, [sp, #STEPS]
    ldr         r1, [sp, #X]
    mov         r2, r0
    mov         r4, r0
    mov         r6, r0
    .if \pixels > 4
    mov         r8, r0
    mov         r10, r0
    mov         r12, r0
    mov         lr, r0
    .endif
    .ifc \form,float
    vldrw.u32   q3, [r3]            /* lane 0 is used */
    adds        r3, r3, #4
    .endif
    .ifnc \form,float
    vldrw.u32   q3, [r3]            /* multiplier, right shift, left shift in the general form */
    .ifc \form,general
    adds        r3, r3, #12
    .else
    adds        r3, r3, #8
    .endif
    .endif
    cmp         r7, #0
    beq.w       3f
2:
    vldrw.u32   q0, [r3], #16
    of_all      products_of_two, \pixels
    add         r1, r1, r9
    subs        r7, r7, #1
    bne.w       2b
3:
    ldr         r7, [sp, #TAIL]
    cmp         r7, #0
    beq.w       4f
    vctp.8      r7
    vldrw.u32   q0, [r3], #16
    of_all      tails_of_two, \pixels
4:  /* pixels 0, 2, 4, 6 in q0, 1, 3, 5, 7 in q1 */
    .if \pixels > 4
    vmov        q0[2], q0[0], r0, r8
    vmov        q0[3], q0[1], r4, r12
    vmov        q1[2], q1[0], r2, r10
    vmov        q1[3], q1[1], r6, lr
    .else
    vmov        q0[2], q0[0], r0, r0
    vmov        q0[3], q0[1], r4, r4
    vmov        q1[2], q1[0], r2, r2
    vmov        q1[3], q1[1], r6, r6
    .endif
    vmov        r0, r2, d6
    .ifc \form,general
    vmov.32     r4, q3[2]
    vshl.s32    q0, r4
    vshl.s32    q1, r4
    .endif
    vdup.32     q2, r0
    requant_mve_multiply \form, q0, q2
    requant_mve_multiply \form, q1, q2
    .ifnc \form,float
    vdup.32     q3, r2
    .endif
    requant_mve_shift \form, q0, q3, q2
    requant_mve_shift \form, q1, q3, q2
    requant_mve_narrow \form, q0, q1, q5, q6, q7
    .if \pixels > 4
    vstrb.16    q0, [r11, q4]
    .else
    movs        r0, #4
    vctp.16     r0
    vpst
    vstrbt.16   q0, [r11, q4]
    .endif
    ldr         r0, [sp, #COUNT]
    add         r11, r11, #1
    subs        r0, r0, #1
    bne.w       1b
    .endm

/* moves to the pixel `count`, a register, further; r6, r8 and r10 are free */
    .macro further count
    ldrd        r6, r8, [sp, #X]
    ldrd        r10, r12, [sp, #X_STEP]
    mla         r6, \count, r10, r6
    mla         r8, \count, r12, r8
    strd        r6, r8, [sp, #X]
    .endm

    .macro gemm name, form
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    str         r1, [sp, #PACKED]
    strd        r0, r2, [sp, #X]
    ldrd        r4, r5, [r3]        /* pixels, x_step */
    strd        r4, r4, [sp, #LEFT]
    ldrd        r6, r7, [r3, #8]    /* steps, tail */
    strd        r6, r7, [sp, #STEPS]
    ldrd        r8, r9, [r3, #16]   /* out_c, out_zero */
    str         r8, [sp, #CHANNELS]
    vdup.16     q5, r9
    ldrd        r10, r12, [r3, #24] /* clamp */
    vdup.16     q6, r10
    vdup.16     q7, r12
    ldr         r8, [r3, #36]       /* out_step */
    strd        r5, r8, [sp, #X_STEP]
    movs        r6, #0
    vidup.u16   q4, r6, #1
    vmul.i16    q4, q4, r8
    cmp         r4, #4
    bge         6f
    /* fewer than four: one by one, each four times to one place */
    movs        r5, #0
    vmov.i16    q4, #0
6:
    ldrd        r4, r7, [sp, #LEFT]
    cmp         r4, #0
    beq.w       9f
    cmp         r7, #4
    blt.w       7f
    cmp         r4, #4
    ble         5f
    cmp         r4, #8
    bge         8f
    cmp         r7, #8
    blt.w       7f
    sub         r9, r4, #8          /* back, so that eight are left */
    further     r9
    movs        r4, #8
    b           8f
5:
    subs        r9, r4, #4
    beq.w       7f
    further     r9
    movs        r4, #4
    str         r4, [sp, #LEFT]
    b.w         7f
8:
    subs        r4, r4, #8
    str         r4, [sp, #LEFT]
    block       \form, 8
    movs        r9, #8
    further     r9
    b.w         6b
7:
    block       \form, 4
    ldrd        r4, r7, [sp, #LEFT]
    movs        r9, #4
    cmp         r7, #4
    it          lt
    movlt       r9, #1
    subs        r4, r4, r9
    str         r4, [sp, #LEFT]
    further     r9
    b.w         6b
9:
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    gemm gemm_1x8_s8_mve_relu, relu
    gemm gemm_1x8_s8_mve_signed, signed
    gemm gemm_1x8_s8_mve_general, general
#if __ARM_FEATURE_MVE & 2 /* vectors of floats */
    gemm gemm_1x8_s8_mve_float, float
#endif
