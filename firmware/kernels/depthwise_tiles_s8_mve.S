/* See depthwise_tiles_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* fields of the work */
    .equ SCALE, 8
    .equ CHANNELS, 16
    .equ RECORD, 20
    .equ W_GROUPS, 24
    .equ W_ROUNDS, 32
    .equ W_STEP, 40
    .equ W_ZERO, 44
    .equ CLAMP, 48
    .equ GATHER, 56
    .equ PATTERN, 72

/* stack frame */
    .equ BIAS, 0            /* eight times */
    .equ SUMS, 32
    .equ LOW, 64
    .equ HIGH, 80
    .equ WORK, 96
    .equ LEFT, 100          /* channels still to do */
    .equ STRIP, 104         /* the channel's first word */
    .equ OUTPUT, 108
    .equ POINTER, 112       /* to scale, and to taps */
    .equ NEXT_TAPS, 116
    .equ MULTIPLIER, 120
    .equ FACTOR, 124
    .equ SHIFT, 128         /* of the general form: to the left, */
    .equ TIES, 132          /* 1 where ties matter */
    .equ GROUPS, 136
    .equ ROUNDS, 140
    .equ ZERO, 144
    .equ ADVANCE, 148
    .equ TAPS, 160          /* per group 16 bytes of zero and 16 of taps */
    .equ FRAME, 160 + 32 * 13

    .macro products a, b, w
    vmladava.s8 \a, q0, \w
    vmladava.s8 \b, q1, \w
    .endm

/* requant_mve.h tells why the forms are exact; r0 multiplier, r2 factor or negated right shift, r6 left shift, r8 1 where
   ties matter */
    .macro scale x, spare, form
    .ifc \form,general
    requant_mve_channel \x, \spare, r0, r6, r8, r2
    .else
    vqrdmulh.s32 \x, \x, r0
    vqrdmulh.s32 \x, \x, r2
    .endif
    .endm

/* r1 groups still to do, r3 strip, r5 from group to group, r7 its group, r9 taps, r11 output; even registers accumulate; q4 and
   q5 offsets of a gather and of the next one, q6 those of the outputs; p0 outputs to store */
    .macro tiles name, form
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    str         r0, [sp, #WORK]
    ldrd        r1, r2, [r0]        /* strip, output */
    strd        r1, r2, [sp, #STRIP]
    ldrd        r1, r2, [r0, #SCALE] /* scale, taps */
    strd        r1, r2, [sp, #POINTER]
    ldr         r1, [r0, #CHANNELS]
    str         r1, [sp, #LEFT]
    ldrd        r4, r5, [r0, #W_GROUPS] /* groups, group_step */
    ldr         r6, [r0, #W_ROUNDS]
    strd        r4, r6, [sp, #GROUPS]
    ldrd        r7, r8, [r0, #W_STEP] /* step, out_zero */
    lsl         r9, r7, #3
    strd        r8, r9, [sp, #ZERO]
    .ifc \form,general
    ldrd        r1, r2, [r0, #CLAMP]
    vdup.16     q0, r1
    vstrw.32    q0, [sp, #LOW]
    vdup.16     q0, r2
    vstrw.32    q0, [sp, #HIGH]
    .endif
    vldrw.32    q4, [r0, #GATHER]
    movs        r1, #64
    vadd.i32    q5, q4, r1
    movs        r0, #0
    vidup.u16   q0, r0, #1          /* lanes are outputs 0, 4, 1, 5, 2, 6, 3, 7 */
    vmov.i16    q1, #1
    vand        q1, q1, q0
    vshr.u16    q0, q0, #1
    vshl.i16    q1, q1, #2
    vadd.i16    q0, q0, q1
    vmul.i16    q6, q0, r7
    vmov.i32    q0, #0
    add         r9, sp, #TAPS
1:
    vstrb.8     q0, [r9], #32
    subs        r4, r4, #1
    bne         1b
1:  /* a channel */
    ldr         r0, [sp, #WORK]
    ldrd        r1, r3, [sp, #POINTER]
    ldr         r4, [sp, #GROUPS]
    add         r2, r0, #PATTERN
    add         r9, sp, #TAPS + 16
2:
    vldrb.8     q0, [r2], #16
    vldrb.u8    q1, [r3, q0]
    vstrb.8     q1, [r9], #32
    subs        r4, r4, #1
    bne         2b
    ldr         r2, [r0, #RECORD]
    add         r3, r3, r2
    ldm         r1!, {r6, r8, r10}
    .ifc \form,general
    ldrsb       r8, [r3, #-2]
    bic         r2, r8, r8, asr #31 /* what is positive of the shift */
    sub         r8, r8, r2
    lsr         r4, r8, #31
    strd        r2, r4, [sp, #SHIFT]
    .endif
    strd        r6, r8, [sp, #MULTIPLIER]
    strd        r1, r3, [sp, #POINTER]
    vdup.32     q0, r10
    vstrw.32    q0, [sp, #BIAS]
    vstrw.32    q0, [sp, #BIAS + 16]
    ldrd        r3, r11, [sp, #STRIP]
    movw        r2, #0xffff
    vmsr        p0, r2
    ldr         r1, [r0, #W_ROUNDS]
    str         r1, [sp, #ROUNDS]
3:  /* eight outputs */
    ldr         r2, [sp, #ROUNDS]
    cmp         r2, #1
    bne         4f
    ldr         r0, [sp, #WORK]
    ldr         r2, [r0, #W_ROUNDS + 4]
    vmsr        p0, r2
4:
    ldr         r1, [sp, #GROUPS]
    mov         r7, r3
    add         r9, sp, #TAPS + 16
    ldm         sp, {r0, r2, r4, r6, r8, r10, r12, lr}
5:
    vldrw.u32   q0, [r7, q4]
    vldrb.8     q2, [r9], #32
    vldrw.u32   q1, [r7, q5]
    products    r0, r8, q2
    vldrb.8     q3, [r9, #-33]
    products    r2, r10, q3
    vldrb.8     q2, [r9, #-34]
    products    r4, r12, q2
    vldrb.8     q3, [r9, #-35]
    products    r6, lr, q3
    add         r7, r7, r5
    subs        r1, r1, #1
    bne         5b
    add         r1, sp, #SUMS
    stm         r1, {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp, #SUMS]
    vldrw.32    q1, [sp, #SUMS + 16]
    ldrd        r0, r2, [sp, #MULTIPLIER]
    .ifc \form,general
    ldrd        r6, r8, [sp, #SHIFT]
    .endif
    ldrd        r4, r12, [sp, #ZERO] /* and ADVANCE */
    scale       q0, q2, \form
    scale       q1, q3, \form
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    vqadd.s16   q0, q0, r4
    .ifc \form,general
    vldrw.32    q1, [sp, #LOW]
    vmax.s16    q0, q0, q1
    vldrw.32    q1, [sp, #HIGH]
    vmin.s16    q0, q0, q1
    .else
    vqmovnb.s16 q0, q0
    .endif
    vpst
    vstrbt.16   q0, [r11, q6]
    add         r11, r11, r12
    add         r3, r3, #128
    ldr         r1, [sp, #ROUNDS]
    subs        r1, r1, #1
    str         r1, [sp, #ROUNDS]
    bne         3b
    ldrd        r3, r11, [sp, #STRIP]
    add         r3, r3, #4
    add         r11, r11, #1
    strd        r3, r11, [sp, #STRIP]
    ldr         r1, [sp, #LEFT]
    subs        r1, r1, #1
    str         r1, [sp, #LEFT]
    bne.w       1b
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    tiles depthwise_tiles_s8_mve_saturating, saturating
    tiles depthwise_tiles_s8_mve_general, general
