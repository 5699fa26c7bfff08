/* pair_s16_mve.h: sums of the first row in r0, r2, r4 and r6, those of the second in r8, r10, r12 and lr */
#include "kernel_asm.h"

/* stack frame */
    .equ X, 0           /* the two rows */
    .equ SECOND, 4
    .equ WHOLE, 8       /* bytes of the weights of whole steps of 16 taps */
    .equ TAIL, 12       /* taps after them */
    .equ LEFT, 16       /* channels still to do */
    .equ OUT_STEP, 20   /* bytes */
    .equ FRAME, 24

/* eight taps of one channel more, of both rows */
    .macro channel weights, first, second
    vldrb.s16   \weights, [r5], #8
    vmladava.s16 \first, q0, \weights
    vmladava.s16 \second, q2, \weights
    .endm

    hil_function pair_s16_mve, 8
    push        {r4-r11, lr}
    vpush       {d8-d11}
    ldr         r12, [sp, #68]
    sub         sp, sp, #FRAME
    ldrd        r4, r5, [r12]       /* taps, channels */
    ldrd        r6, r7, [r12, #8]
    vdup.32     q4, r6
    vdup.32     q5, r7
    ldrd        r6, r7, [r12, #16]
    add         r6, r0, r6, lsl #1
    strd        r0, r6, [sp, #X]
    lsls        r7, r7, #1
    strd        r5, r7, [sp, #LEFT]
    lsrs        r6, r4, #4
    lsls        r6, r6, #6
    and         r4, r4, #15
    strd        r6, r4, [sp, #WHOLE]
    mov         r5, r1
    mov         r9, r2
    mov         r11, r3
1:
    ldrd        r1, r3, [sp, #X]
    ldr         r7, [sp, #WHOLE]
    ldrd        r0, r2, [r9]
    ldrd        r4, r6, [r9, #8]
    adds        r7, r7, r5
    mov         r8, r0
    mov         r10, r2
    mov         r12, r4
    mov         lr, r6
    cmp         r5, r7
    beq         3f
2:
    .rept 2
    vldrh.u16   q0, [r1], #16
    vldrb.s16   q1, [r5], #8
    vldrh.u16   q2, [r3], #16
    vmladava.s16 r0, q0, q1
    vmladava.s16 r8, q2, q1
    channel     q3, r2, r10
    channel     q1, r4, r12
    channel     q3, r6, lr
    .endr
    cmp         r5, r7
    bne         2b
3:
    ldr         r7, [sp, #TAIL]
    cbz         r7, 4f
5:
    vctp.16     r7                  /* others are not read and are zero */
    vpstt
    vldrht.u16  q0, [r1], #16
    vldrht.u16  q2, [r3], #16
    channel     q1, r0, r8
    channel     q3, r2, r10
    channel     q1, r4, r12
    channel     q3, r6, lr
    subs        r7, r7, #8
    bgt         5b
4:
    vmov        q0[2], q0[0], r0, r4
    vmov        q0[3], q0[1], r2, r6
    vmov        q1[2], q1[0], r8, r12
    vmov        q1[3], q1[1], r10, lr
    vldrw.u32   q2, [r9, #16]
    ldrd        r1, r0, [sp, #LEFT]
    adds        r9, r9, #32
    vrmulh.s32  q0, q0, q2
    vrmulh.s32  q1, q1, q2
    vmax.s32    q0, q0, q4
    vmax.s32    q1, q1, q4
    vmin.s32    q0, q0, q5
    vmin.s32    q1, q1, q5
    add         r0, r0, r11
    mov         r2, r11
    adds        r11, r11, #8
    vctp.32     r1
    vpstt
    vstrht.32   q0, [r2]
    vstrht.32   q1, [r0]
    subs        r1, r1, #4
    str         r1, [sp, #LEFT]
    bgt         1b
    add         sp, sp, #FRAME
    vpop        {d8-d11}
    pop         {r4-r11, pc}
    hil_end pair_s16_mve
