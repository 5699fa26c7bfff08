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
    cmp         r9, #16
    it          eq
    cmpeq       r10, #0
    dls         lr, lr
    bne         1f
2:  /* all of 16 channels */
    vldrb.8     q0, [r0]
    vldrb.8     q1, [r1]
    vldrb.8     q2, [r2]
    vldrb.8     q3, [r3]
    add         r0, r0, r4
    add         r1, r1, r5
    vst40.8     {q0, q1, q2, q3}, [r8]
    add         r2, r2, r6
    vst41.8     {q0, q1, q2, q3}, [r8]
    add         r3, r3, r7
    vst42.8     {q0, q1, q2, q3}, [r8]
    vst43.8     {q0, q1, q2, q3}, [r8]!
    le          lr, 2b
    pop         {r4-r11, pc}
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
    .equ ADVANCE, 32
    .equ BACK, 36
    .equ STEP, 40
    .equ OUT_ZERO, 44
    .equ CLAMP_MIN, 48
    .equ PATTERN, 56
    .equ OFFSETS, 72
    .equ GATHER, 88

/* stack frame */
    .equ WHOLE, 0           /* rounds before the one of which some outputs are stored */
    .equ BYTES, 4           /* of a channel's record */
    .equ RETURN, 8          /* of the output's address to the next channel */
    .equ LAST, 12           /* end of the channels' scales */
    .equ NEXT, 16           /* of the addresses in q6 to the next channel, where r5 has another use */
    .equ TAPS, 28           /* 16 bytes after 8 of zero */
    .equ SHIFT, 44          /* of the general form: to the left, */
    .equ TIES, 48           /* 1 where ties matter */
    .equ LANES, 52          /* the work's pattern */
    .equ LOW, 68
    .equ HIGH, 84
    .equ PLACES, 100        /* of the outputs, as in the work */
    .equ FRAME, 120

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

/* r1 scale, r3 taps, r5 from the addresses after a channel to the next channel's, or step, r7 advance, r8 multiplier, r9 zero
   point, r10 factor or shift, r11 output, r12 bias; q2-q5 taps, q6 addresses, q7 output offsets. The last round's outputs are stored
   where p0 says: all of them, if the work has no rest. */
    .macro quad_channels name, outputs, step, form
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    vmov.i32    q0, #0
    vstrb.8     q0, [sp, #TAPS - 8]
    .ifc \form,general
    ldrd        r1, r2, [r0, #CLAMP_MIN]
    vdup.16     q0, r1
    vstrw.32    q0, [sp, #LOW]
    vdup.16     q0, r2
    vstrw.32    q0, [sp, #HIGH]
    .endif
    vldrb.8     q0, [r0, #PATTERN]
    vstrb.8     q0, [sp, #LANES]
    ldrd        r1, r3, [r0, #SCALE]
    ldrd        r2, r4, [r0, #CHANNELS] /* and record */
    movs        r6, #12
    mla         r2, r2, r6, r1
    str         r4, [sp, #BYTES]
    str         r2, [sp, #LAST]
    ldrd        r4, r6, [r0, #ROUNDS]   /* and rest */
    ldrd        r7, r2, [r0, #ADVANCE]  /* and back */
    ldr         r9, [r0, #OUT_ZERO]
    cmp         r6, #0
    ittt        eq
    subeq       r4, r4, #1
    addeq       r2, r2, r7
    mvneq       r6, r6
    vmsr        p0, r6
    str         r4, [sp, #WHOLE]
    str         r2, [sp, #RETURN]
    ldrd        r2, r11, [r0]           /* strip and output */
    vldrw.32    q6, [r0, #GATHER]
    vldrw.32    q7, [r0, #OFFSETS]
    .ifc \form,general
    vstrw.32    q7, [sp, #PLACES]
    .endif
    vadd.i32    q6, q6, r2
    ldr         r5, [r0, #STEP]
    adds        r4, r4, #1
    mul         r4, r4, r5
    .ifc \outputs,one
    lsls        r4, r4, #3
    .endif
    .ifc \outputs,row
    lsls        r4, r4, #2
    .endif
    .ifc \outputs,line
    lsls        r4, r4, #1
    .endif
    .ifc \outputs,square
    lsls        r4, r4, #1
    .endif
    rsb         r4, r4, #4
    .ifc \step,any
    str         r4, [sp, #NEXT]
    .else
    mov         r5, r4
    .endif
1:  /* a channel */
    vldrb.8     q0, [sp, #LANES]
    vldrb.u8    q2, [r3, q0]
    ldm         r1!, {r8, r10, r12}
    ldrd        r4, r2, [sp, #WHOLE]    /* and bytes */
    add         r3, r3, r2
    .ifc \form,general
    ldrsb       r10, [r3, #-2]
    .endif
    vstrb.8     q2, [sp, #TAPS]
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
    lsr         r6, r10, #31
    strd        r2, r6, [sp, #SHIFT]
    .endif
    wls         lr, r4, 3f
2:
    octet       \outputs, \step, \form, all
    add         r11, r11, r7
    le          lr, 2b
3:
    octet       \outputs, \step, \form, some
    ldrd        r2, r4, [sp, #RETURN]   /* and last */
    .ifc \step,any
    ldr         r6, [sp, #NEXT]
    vadd.i32    q6, q6, r6
    .else
    vadd.i32    q6, q6, r5
    .endif
    add         r11, r11, r2
    cmp         r1, r4
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
