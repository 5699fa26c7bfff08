/* See depthwise_quad_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* r0 strip, r1 rows, r2 count */
hil_function depthwise_quad_s8_mve_weave
    push        {r4-r11, lr}
    mov         r8, r0
    mov         lr, r2
    mov         r12, r1
    ldm         r12!, {r0-r7}       /* from, step */
    ldm         r12, {r9, r10}      /* bytes, less */
    dls         lr, lr
1:
    vctp.8      r9
    vpstttt
    vldrbt.u8   q0, [r0]
    vldrbt.u8   q1, [r1]
    vldrbt.u8   q2, [r2]
    vldrbt.u8   q3, [r3]
    add         r0, r0, r4
    add         r1, r1, r5
    vst40.8     {q0, q1, q2, q3}, [r8]
    add         r2, r2, r6
    vst41.8     {q0, q1, q2, q3}, [r8]
    add         r3, r3, r7
    vst42.8     {q0, q1, q2, q3}, [r8]
    sub         r9, r9, r10
    vst43.8     {q0, q1, q2, q3}, [r8]!
    le          lr, 1b
    pop         {r4-r11, pc}
hil_end depthwise_quad_s8_mve_weave

/* r0 strip, r1 rows, r2 count */
hil_function depthwise_quad_s8_mve_roll
    push        {r4-r10, lr}
    vpush       {d8-d11}
    ldrd        r3, r4, [r1, #8]    /* from */
    ldrd        r5, r6, [r1, #24]   /* step */
    ldrd        r9, r10, [r1, #32]  /* bytes, less */
    dls         lr, r2
1:
    vctp.8      r9
    vpstt
    vldrbt.u8   q4, [r3]
    vldrbt.u8   q5, [r4]
    add         r3, r3, r5
    vld40.8     {q0, q1, q2, q3}, [r0]
    add         r4, r4, r6
    vld41.8     {q0, q1, q2, q3}, [r0]
    vld42.8     {q0, q1, q2, q3}, [r0]
    vld43.8     {q0, q1, q2, q3}, [r0]
    sub         r9, r9, r10
    vst40.8     {q2, q3, q4, q5}, [r0]
    vst41.8     {q2, q3, q4, q5}, [r0]
    vst42.8     {q2, q3, q4, q5}, [r0]
    vst43.8     {q2, q3, q4, q5}, [r0]!
    le          lr, 1b
    vpop        {d8-d11}
    pop         {r4-r10, pc}
hil_end depthwise_quad_s8_mve_roll

/* fields of the work */
    .equ SCALE, 8
    .equ CHANNELS, 16
    .equ RECORD, 20
    .equ ROUNDS, 24
    .equ REST, 28
    .equ ADVANCE, 32
    .equ BACK, 36
    .equ STEP, 40
    .equ OUT_ZERO, 44
    .equ CLAMP_MIN, 48
    .equ PATTERN, 56
    .equ OFFSETS, 72
    .equ GATHER, 88

/* stack frame */
    .equ WORK, 0
    .equ LEFT, 4            /* channels still to do */
    .equ SHIFT, 8           /* of the general form: to the left, */
    .equ TIES, 12           /* 1 where ties matter */
    .equ STRIP, 16          /* of the next channel */
    .equ TAPS, 28           /* 16 bytes after 8 of zero */
    .equ LOW, 48
    .equ HIGH, 64
    .equ PLACES, 80         /* of the outputs, as in the work */
    .equ FRAME, 96

/* the next four words of a channel; `step` is 128, 64 or in r5 */
    .macro fetch x, step
    .ifc \step,any
    vadd.i32    q6, q6, r5
    vldrw.u32   \x, [q6]
    .else
    vldrw.u32   \x, [q6, #\step]!
    .endif
    .endm

/* four outputs as accumulators: of one fetch, of one each, or, in a row, of two */
    .macro quad x, outputs, step
    fetch       \x, \step
    vmladav.s8  r0, \x, q2
    .ifc \outputs,one
    fetch       \x, \step
    vmladav.s8  r2, \x, q2
    fetch       \x, \step
    vmladav.s8  r4, \x, q2
    fetch       \x, \step
    vmladav.s8  r6, \x, q2
    .else
    vmladav.s8  r2, \x, q3
    .ifc \outputs,row
    fetch       \x, \step
    vmladav.s8  r4, \x, q2
    vmladav.s8  r6, \x, q3
    .else
    vmladav.s8  r4, \x, q4
    vmladav.s8  r6, \x, q5
    .endif
    .endif
    vmov        \x[2], \x[0], r0, r4
    vmov        \x[3], \x[1], r2, r6
    vadd.i32    \x, \x, r12
    .endm

/* requant_mve.h tells why the forms are exact; r8 multiplier, r10 factor or, in the general form, negated right shift */
    .macro quad_scale x, spare, form
    .ifc \form,general
    ldrd        r0, r2, [sp, #SHIFT]
    requant_mve_channel \x, \spare, r8, r0, r2, r10
    .else
    vqrdmulh.s32 \x, \x, r8
    vqrdmulh.s32 \x, \x, r10
    .endif
    .endm

/* eight outputs, all of which are stored, or those that p0 has */
    .macro octet outputs, step, form, stored
    quad        q0, \outputs, \step
    quad_scale  q0, q1, \form
    quad        q1, \outputs, \step
    quad_scale  q1, q7, \form
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    vqadd.s16   q0, q0, r9
    .ifc \form,general
    vldrw.32    q1, [sp, #LOW]
    vmax.s16    q0, q0, q1
    vldrw.32    q1, [sp, #HIGH]
    vmin.s16    q0, q0, q1
    .else
    vqmovnb.s16 q0, q0
    .endif
    .ifc \form,general
    vldrw.32    q7, [sp, #PLACES]
    .endif
    .ifc \stored,all
    vstrb.16    q0, [r11, q7]
    .else
    vpst
    vstrbt.16   q0, [r11, q7]
    .endif
    .endm

/* r1 scale, r3 taps, r5 the next channel's strip, or step, r7 advance, r8 multiplier, r9 zero point, r10 factor or shift, r11
   output, r12 bias; q2-q5 taps, q6 addresses, q7 output offsets */
    .macro quad_channels name, outputs, step, form
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    str         r0, [sp, #WORK]
    ldr         r1, [r0, #CHANNELS]
    str         r1, [sp, #LEFT]
    vmov.i32    q0, #0
    vstrb.8     q0, [sp, #TAPS - 8]
    .ifc \form,general
    ldrd        r1, r2, [r0, #CLAMP_MIN]
    vdup.16     q0, r1
    vstrw.32    q0, [sp, #LOW]
    vdup.16     q0, r2
    vstrw.32    q0, [sp, #HIGH]
    .endif
    ldrd        r1, r3, [r0, #SCALE]
    ldr         r7, [r0, #ADVANCE]
    ldr         r9, [r0, #OUT_ZERO]
    ldrd        r5, r11, [r0]
    .ifc \step,any
    str         r5, [sp, #STRIP]
    ldr         r5, [r0, #STEP]
    .endif
    vldrw.32    q7, [r0, #OFFSETS]
    .ifc \form,general
    vstrw.32    q7, [sp, #PLACES]
    .endif
1:  /* a channel */
    vldrb.8     q0, [r0, #PATTERN]
    vldrb.u8    q2, [r3, q0]
    ldm         r1!, {r8, r10, r12}
    ldr         r2, [r0, #RECORD]
    vldrw.32    q6, [r0, #GATHER]
    add         r3, r3, r2
    .ifc \form,general
    ldrsb       r10, [r3, #-2]
    .endif
    vstrb.8     q2, [sp, #TAPS]
    .ifc \step,any
    ldr         r2, [sp, #STRIP]
    vadd.i32    q6, q6, r2
    add         r2, r2, #4
    str         r2, [sp, #STRIP]
    .else
    vadd.i32    q6, q6, r5
    add         r5, r5, #4
    .endif
    .ifc \outputs,line
    vldrb.8     q3, [sp, #TAPS - 1]
    vldrb.8     q4, [sp, #TAPS - 2]
    vldrb.8     q5, [sp, #TAPS - 3]
    .endif
    .ifc \outputs,row
    vldrb.8     q3, [sp, #TAPS - 4]
    .endif
    .ifc \outputs,square
    vldrb.8     q3, [sp, #TAPS - 4]
    vldrb.8     q4, [sp, #TAPS - 1]
    vldrb.8     q5, [sp, #TAPS - 5]
    .endif
    .ifc \form,general
    bic         r2, r10, r10, asr #31   /* what is positive of the shift */
    sub         r10, r10, r2
    lsr         r4, r10, #31
    strd        r2, r4, [sp, #SHIFT]
    .endif
    ldr         r2, [r0, #ROUNDS]
    wls         lr, r2, 3f
2:
    octet       \outputs, \step, \form, all
    add         r11, r11, r7
    le          lr, 2b
3:
    ldr         r0, [sp, #WORK]
    ldr         r4, [r0, #REST]
    cmp         r4, #0
    beq.w       4f
    vmsr        p0, r4
    octet       \outputs, \step, \form, some
    ldr         r0, [sp, #WORK]
4:
    ldr         r2, [r0, #BACK]
    ldr         r4, [sp, #LEFT]
    add         r11, r11, r2
    subs        r4, r4, #1
    str         r4, [sp, #LEFT]
    bne.w       1b
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    quad_channels depthwise_quad_s8_mve_saturating, square, 128, saturating
    quad_channels depthwise_quad_s8_mve_saturating_any, square, any, saturating
    quad_channels depthwise_quad_s8_mve_saturating_row, row, 128, saturating
    quad_channels depthwise_quad_s8_mve_saturating_row_any, row, any, saturating
    quad_channels depthwise_quad_s8_mve_saturating_line, line, 64, saturating
    quad_channels depthwise_quad_s8_mve_saturating_one, one, 128, saturating
    quad_channels depthwise_quad_s8_mve_saturating_one_any, one, any, saturating
    quad_channels depthwise_quad_s8_mve_general, square, 128, general
    quad_channels depthwise_quad_s8_mve_general_any, square, any, general
    quad_channels depthwise_quad_s8_mve_general_row, row, 128, general
    quad_channels depthwise_quad_s8_mve_general_row_any, row, any, general
    quad_channels depthwise_quad_s8_mve_general_line, line, 64, general
    quad_channels depthwise_quad_s8_mve_general_one, one, 128, general
    quad_channels depthwise_quad_s8_mve_general_one_any, one, any, general
