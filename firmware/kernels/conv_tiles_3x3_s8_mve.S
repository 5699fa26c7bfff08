/* See conv_tiles_3x3_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* r0 strip, r1 rows, r2 count */
hil_function conv_tiles_3x3_s8_mve_weave
    push        {r4-r8, lr}
    mov         r8, r0
    mov         lr, r2
    mov         r12, r1
    ldr         r0, [r1, #32]
    vctp.8      r0
    ldm         r12, {r0-r7}        /* from, step */
    dls         lr, lr
1:
    vpstttt
    vldrbt.u8   q0, [r0]
    vldrbt.u8   q1, [r1]
    vldrbt.u8   q2, [r2]
    vldrbt.u8   q3, [r3]
    add         r0, r0, r4
    vstrb.8     q1, [r8, #16]
    add         r1, r1, r5
    vstrb.8     q2, [r8, #32]
    add         r2, r2, r6
    vstrb.8     q3, [r8, #48]
    add         r3, r3, r7
    vstrb.8     q0, [r8], #64
    le          lr, 1b
    pop         {r4-r8, pc}
hil_end conv_tiles_3x3_s8_mve_weave

/* r0 strip, r1 rows, r2 count */
hil_function conv_tiles_3x3_s8_mve_weave_16
    push        {r4, lr}
    mov         r4, r0
    mov         lr, r2
    ldm         r1, {r0-r3}         /* from */
    dls         lr, lr
1:
    vldrb.8     q0, [r0], #16
    vldrb.8     q1, [r1], #16
    vstrb.8     q1, [r4, #16]
    vldrb.8     q2, [r2], #16
    vstrb.8     q2, [r4, #32]
    vldrb.8     q3, [r3], #16
    vstrb.8     q3, [r4, #48]
    vstrb.8     q0, [r4], #64
    le          lr, 1b
    pop         {r4, pc}
hil_end conv_tiles_3x3_s8_mve_weave_16

/* fields of the tiles */
    .equ CHANNELS, 12
    .equ PIXEL, 16
    .equ CLAMP, 24
    .equ EDGE, 32

/* stack frame */
    .equ SUMS, 0            /* of the upper row, then of the lower one */
    .equ OFFSETS, 32
    .equ LOW, 48
    .equ HIGH, 64
    .equ X, 80              /* the tile's first column */
    .equ GROUPS, 84
    .equ PACKED, 88
    .equ COUNT, 92          /* channels */
    .equ TILES, 96          /* still to do */
    .equ ADVANCE, 100       /* output bytes from behind a tile's channels to the next tile */
    .equ BIASES, 104        /* of an edge, the first channel's and the next one's */
    .equ NEXT, 108
    .equ FRAME, 112

/* what an input of column `col` gives the outputs of a row in columns 0..3, by a row of weights; `load` comes after the
   first product */
    .macro products col, x, a0, a1, a2, a3, w0, w1, w2, load
    .if \col == 0
    vmladava.s8 \a0, \x, \w0
    \load
    .elseif \col == 1
    vmladava.s8 \a1, \x, \w0
    \load
    vmladava.s8 \a0, \x, \w1
    .elseif \col == 2
    vmladava.s8 \a2, \x, \w0
    \load
    vmladava.s8 \a1, \x, \w1
    vmladava.s8 \a0, \x, \w2
    .elseif \col == 3
    vmladava.s8 \a3, \x, \w0
    \load
    vmladava.s8 \a2, \x, \w1
    vmladava.s8 \a1, \x, \w2
    .elseif \col == 4
    vmladava.s8 \a3, \x, \w1
    \load
    vmladava.s8 \a2, \x, \w2
    .else
    vmladava.s8 \a3, \x, \w2
    \load
    .endif
    .endm

    .macro upper col, x, w0, w1, w2, load
    products    \col, \x, r0, r2, r4, r6, \w0, \w1, \w2, "\load"
    .endm

    .macro lower col, x, w0, w1, w2, load
    products    \col, \x, r8, r10, r12, lr, \w0, \w1, \w2, "\load"
    .endm

    .macro input x, row, col
    vldrw.32    \x, [r3, #64 * \col + 16 * \row]
    .endm

    .macro weights w
    vldrw.32    \w, [r1], #16
    .endm

/* on to the next group, or to the first one of the next channel */
    .macro advance groups
    .ifc \groups,any
    subs        r7, r7, #1
    ite         ne
    addne       r3, r3, r5
    ldreq       r3, [sp, #X]
    .endif
    .endm

/* the first inputs of a group, which the one before loads; without its first row it has one */
    .macro ahead edge, col=0, x=6
    .ifnc \edge,upper
    input       q\x, 0, \col
    .elseif \col == 0
    input       q6, 1, 0
    .endif
    .endm

/* the second row of weights is loaded with the first one where that one is not needed before: of the six vectors, `w` is
 * the `place`th */
    .macro both edge, w, place
    .ifc \edge,upper
    vldrw.32    \w, [r1, #16 * \place - 96]
    .endif
    .endm

/* 16 input channels of a tile, by rows of the input. A product takes two cycles, in which a load fits: loads stand one by one between them, those
 * of the next input and of weights that take the place of the last ones. */
    .macro first_row
    weights     q0
    upper       0, q6, q0, q1, q2, "weights q1"
    vmladava.s8 r2, q7, q0
    input       q6, 0, 2
    vmladava.s8 r0, q7, q1
    weights     q2
    vmladava.s8 r4, q6, q0
    input       q7, 0, 3
    vmladava.s8 r2, q6, q1
    weights     q3
    vmladava.s8 r0, q6, q2
    vmladava.s8 r6, q7, q0
    input       q6, 0, 4
    vmladava.s8 r4, q7, q1
    weights     q4
    vmladava.s8 r2, q7, q2
    upper       4, q6, q0, q1, q2, "input q7, 0, 5"
    weights     q5
    upper       5, q7, q0, q1, q2, "input q6, 1, 0"
    .endm

    .macro middle_rows edge
    upper       0, q6, q3, q4, q5, "input q7, 1, 1"
    lower       0, q6, q0, q1, q2, "both \edge, q4, 4"
    upper       1, q7, q3, q4, q5, "input q6, 1, 2"
    both        \edge, q1, 1
    lower       1, q7, q0, q1, q2, "both \edge, q5, 5"
    upper       2, q6, q3, q4, q5, "input q7, 1, 3"
    lower       2, q6, q0, q1, q2, "both \edge, q2, 2"
    upper       3, q7, q3, q4, q5, "input q6, 1, 4"
    lower       3, q7, q0, q1, q2
    upper       4, q6, q3, q4, q5, "input q7, 1, 5"
    lower       4, q6, q0, q1, q2, "weights q0"
    upper       5, q7, q3, q4, q5, "input q6, 2, 0"
    lower       5, q7, q0, q1, q2, "weights q1"

    lower       0, q6, q3, q4, q5, "input q7, 2, 1"
    upper       0, q6, q0, q1, q2, "weights q2"
    lower       1, q7, q3, q4, q5, "input q6, 2, 2"
    upper       1, q7, q0, q1, q2
    lower       2, q6, q3, q4, q5, "input q7, 2, 3"
    upper       2, q6, q0, q1, q2
    lower       3, q7, q3, q4, q5, "input q6, 2, 4"
    upper       3, q7, q0, q1, q2
    lower       4, q6, q3, q4, q5, "input q7, 2, 5"
    upper       4, q6, q0, q1, q2
    lower       5, q7, q3, q4, q5, "input q6, 3, 0"
    upper       5, q7, q0, q1, q2, "input q3, 3, 1"
    .endm

    .macro last_row groups, edge
    lower       0, q6, q0, q1, q2, "input q4, 3, 2"
    lower       1, q3, q0, q1, q2, "input q5, 3, 3"
    lower       2, q4, q0, q1, q2, "input q3, 3, 4"
    vmladava.s8 lr, q5, q0
    input       q4, 3, 5
    vmladava.s8 r12, q5, q1
    advance     \groups
    vmladava.s8 r10, q5, q2
    ahead       \edge
    vmladava.s8 lr, q3, q1
    ahead       \edge, 1, 7
    vmladava.s8 r12, q3, q2
    vmladava.s8 lr, q4, q2
    .endm

/* r1 packed weights, r3 strip, r5 from group to group, r7 groups still to do, r9 channels still to do, r11 output; even
   registers accumulate: the upper row, then the lower one */
    .macro tiles name, form, groups, edge
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r11, r2
    ldrd        r4, r5, [r3]        /* tiles, groups */
    strd        r0, r5, [sp, #X]
    ldrd        r5, r9, [r3, #8]    /* group_step, channels */
    strd        r1, r9, [sp, #PACKED]
    ldrd        r6, r7, [r3, #PIXEL] /* pixel, line */
    rsb         r8, r9, r6, lsl #2
    strd        r4, r8, [sp, #TILES]
    movs        r0, #0
    vidup.u16   q0, r0, #1
    vmov.i16    q1, #1
    vand        q1, q1, q0
    vshr.u16    q0, q0, #1
    vmul.i16    q0, q0, r6
    vmla.s16    q0, q1, r7          /* 0, line, pixel, pixel + line, ... */
    vstrw.32    q0, [sp, #OFFSETS]
    .ifc \form,general
    ldrd        r6, r7, [r3, #CLAMP]
    vdup.16     q0, r6
    vstrw.32    q0, [sp, #LOW]
    vdup.16     q0, r7
    vstrw.32    q0, [sp, #HIGH]
    .endif
    .ifnc \edge,none
    ldr         r6, [r3, #EDGE]     /* biases */
    strd        r6, r6, [sp, #BIASES]
    .endif
    ldr         r3, [sp, #X]
    ahead       \edge
    ahead       \edge, 1, 7
1:  /* a channel */
    .ifnc \edge,none
    ldr         r2, [sp, #NEXT]
    ldrd        r0, r8, [r2], #8
    str         r2, [sp, #NEXT]
    add         r1, r1, #32
    mov         r2, r0
    mov         r4, r0
    mov         r6, r0
    mov         r10, r8
    mov         r12, r8
    mov         lr, r8
    .else
    ldm         r1!, {r0, r2, r4, r6, r8, r10, r12, lr}
    .endif
    .ifc \groups,any
    ldr         r7, [sp, #GROUPS]
    .endif
2:
    .ifc \edge,upper
    vldrw.32    q0, [r1], #96
    both        \edge, q3, 3
    .else
    first_row
    .endif
    middle_rows \edge
    .ifc \edge,lower
    advance     \groups
    ahead       \edge
    ahead       \edge, 1, 7
    .else
    last_row    \groups, \edge
    .endif
    .ifc \groups,any
    bne.w       2b
    .endif
    stm         sp, {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp, #SUMS]
    .ifc \form,general
    ldm         r1!, {r0, r2, r4, r6, r8}
    vldrw.32    q1, [sp, #SUMS + 16]
    requant_mve_channel q0, q2, r0, r6, r8, r2
    requant_mve_channel q1, q3, r0, r6, r8, r2
    vldrw.32    q2, [sp, #OFFSETS]
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    vldrw.32    q1, [sp, #LOW]
    vqadd.s16   q0, q0, r4
    vldrw.32    q3, [sp, #HIGH]
    vmax.s16    q0, q0, q1
    subs        r9, r9, #1
    vmin.s16    q0, q0, q3
    .else
    ldm         r1!, {r0, r2, r4}
    vqrdmulh.s32 q0, q0, r0
    vldrw.32    q1, [sp, #SUMS + 16]
    vqrdmulh.s32 q1, q1, r0
    vldrw.32    q2, [sp, #OFFSETS]
    vqrdmulh.s32 q0, q0, r2
    vqrdmulh.s32 q1, q1, r2
    vqmovnb.s32 q0, q0
    subs        r9, r9, #1
    vqmovnt.s32 q0, q1
    vqadd.s16   q0, q0, r4
    vqmovnb.s16 q0, q0
    .endif
    vstrb.16    q0, [r11, q2]
    add         r11, r11, #1
    bne.w       1b
    ldrd        r1, r9, [sp, #PACKED]
    ldr         r3, [sp, #X]
    .ifnc \edge,none
    ldr         r2, [sp, #BIASES]
    str         r2, [sp, #NEXT]
    .endif
    ldrd        r4, r8, [sp, #TILES]
    add         r3, r3, #256
    str         r3, [sp, #X]
    ahead       \edge
    ahead       \edge, 1, 7
    add         r11, r11, r8
    subs        r4, r4, #1
    str         r4, [sp, #TILES]
    bne.w       1b
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    tiles conv_tiles_3x3_s8_mve_saturating, saturating, any, none
    tiles conv_tiles_3x3_s8_mve_saturating_upper, saturating, any, upper
    tiles conv_tiles_3x3_s8_mve_saturating_lower, saturating, any, lower
    tiles conv_tiles_3x3_s8_mve_saturating_one, saturating, one, none
    tiles conv_tiles_3x3_s8_mve_saturating_one_upper, saturating, one, upper
    tiles conv_tiles_3x3_s8_mve_saturating_one_lower, saturating, one, lower
    tiles conv_tiles_3x3_s8_mve_general, general, any, none
    tiles conv_tiles_3x3_s8_mve_general_upper, general, any, upper
    tiles conv_tiles_3x3_s8_mve_general_lower, general, any, lower
    tiles conv_tiles_3x3_s8_mve_general_one, general, one, none
    tiles conv_tiles_3x3_s8_mve_general_one_upper, general, one, upper
    tiles conv_tiles_3x3_s8_mve_general_one_lower, general, one, lower
