/* See depthwise_woven_s8_mve.h. */
#include "kernel_asm.h"

/* fields of the work */
    .equ WORK_CHANNELS, 8
    .equ WORK_ZERO, 16
    .equ WORK_STRIP, 28

/* words from where the stack pointer stands between blocks; below it lie a block's sums */
    .equ CHANNELS, 0
    .equ TAPS, 4
    .equ WORDS, 8
    .equ ZERO, 12
    .equ STRIP, 16
    .equ FRAME, 24

/* 16 taps of the channel whose words begin at \at */
    .macro woven_channel at, sum, x, w
    vldrw.u32   \x, [q6, #\at]
    vldrb.8     \w, [r1], #16
    vmladava.s8 \sum, \x, \w
    .endm

/* sums of eight channels */
    .macro woven_eight a, b, c, d, e, f, g, h
    vadd.i32    q6, q5, r9
    ldm         r1!, {r0, r2, r4, r6, r8, r10, r12, lr}
    mov         r11, r5
3:
    woven_channel \a, r0, q0, q1
    woven_channel \b, r2, q2, q3
    woven_channel \c, r4, q0, q1
    woven_channel \d, r6, q2, q3
    woven_channel \e, r8, q0, q1
    woven_channel \f, r10, q2, q3
    woven_channel \g, r12, q0, q1
    woven_channel \h, lr, q2, q3
    subs        r11, r11, #1
    vadd.i32    q6, q6, r9
    bne         3b
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    .endm

/* four sums at \at to outputs */
    .macro woven_scale x, at
    vldrw.32    \x, [sp, #\at]
    vldrw.32    q4, [r1], #16
    vqrdmulh.s32 \x, \x, q4
    vldrw.32    q4, [r1], #16
    vqrdmlash.s32 \x, q4, r0
    .endm

/* r1 packed, r3 first channel, r5 groups of 16 taps, r7 output, r9 bytes of such a group; q5 addresses of a group's words, less r9 */
hil_function depthwise_woven_s8_mve
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r7, r1
    mov         r1, r0
    ldr         r3, [r2]
    ldr         r4, [r2, #WORK_CHANNELS]
    ldr         r6, [r2, #WORK_ZERO]
    ldrd        r8, r10, [r2, #WORK_STRIP]  /* and words */
    strd        r4, r3, [sp, #CHANNELS]
    strd        r10, r6, [sp, #WORDS]
    str         r8, [sp, #STRIP]
    add         r5, r10, #3
    lsr         r5, r5, #2
    movs        r0, #0
    vidup.u32   q5, r0, #8
    vshl.i32    q5, q5, #3                  /* 0, 64, 128, 192 */
    vadd.i32    q5, q5, r8
    mov         r9, #256
    rsb         r0, r9, #0
    vadd.i32    q5, q5, r0
    movs        r3, #0
1:  /* 16 channels */
    ldrd        r4, lr, [sp, #TAPS]         /* and words */
    ldr         r8, [sp, #STRIP]
    dls         lr, lr
2:  /* of four taps */
    vldrw.32    q4, [r4], #16
    vadd.i32    q4, q4, r3
    vmov        r0, r6, q4[2], q4[0]
    vmov        r2, r10, q4[3], q4[1]
    vldrb.8     q0, [r0]
    vldrb.8     q1, [r2]
    vldrb.8     q2, [r6]
    vldrb.8     q3, [r10]
    vst40.8     {q0, q1, q2, q3}, [r8]
    vst41.8     {q0, q1, q2, q3}, [r8]
    vst42.8     {q0, q1, q2, q3}, [r8]
    vst43.8     {q0, q1, q2, q3}, [r8]!
    le          lr, 2b
    woven_eight 0, 16, 32, 48, 8, 24, 40, 56
    woven_eight 4, 20, 36, 52, 12, 28, 44, 60
    ldr         r0, [sp, #64 + ZERO]
    woven_scale q0, 32
    woven_scale q1, 48
    woven_scale q2, 0
    woven_scale q3, 16
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    vqmovnb.s32 q2, q2
    vqmovnt.s32 q2, q3
    vqmovnb.s16 q0, q0
    vqmovnt.s16 q0, q2
    add         r3, r3, #16
    ldr         r2, [sp, #64]!
    vstrb.8     q0, [r7], #16
    cmp         r3, r2
    bne         1b
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end depthwise_woven_s8_mve
