/* See gemm_pairs_s8_mve.h. */
#include "kernel_asm.h"

/* words from where the stack pointer stands between blocks; below it lie a block's sums */
    .equ END, 0         /* of the first pixel's outputs */
    .equ PIXELS, 4      /* still to do */
    .equ PACKED, 8
    .equ X_STEP, 12
    .equ OUT_C, 16
    .equ OUT_STEP, 20
    .equ TAIL, 24
    .equ FRAME, 32

/* 16 activations, \x, by four channels, whose weights lie one after the other, the first channel's in q2: it was loaded in
 * the step before, and after the last step q2 is what follows the weights. `tail`: 8 weights a channel, so that q2 has taken
 * 8 bytes too many. Loads stand between the products, which is what the M55 overlaps. */
    .macro pairs_one tail, x, a, b, c, d
    vmladava.s8 \a, \x, q2
    pairs_second \tail
    vmladava.s8 \b, \x, q3
    pairs_next  \tail, q2
    vmladava.s8 \c, \x, q2
    pairs_next  \tail, q3
    vmladava.s8 \d, \x, q3
    vldrw.32    q2, [r11], #16
    .endm

/* the same of two pixels */
    .macro pairs_two tail, x, y
    vmladava.s8 r0, \x, q2
    pairs_second \tail
    vmladava.s8 r8, \y, q2
    vmladava.s8 r2, \x, q3
    pairs_next  \tail, q2
    vmladava.s8 r10, \y, q3
    vmladava.s8 r4, \x, q2
    pairs_next  \tail, q3
    vmladava.s8 r12, \y, q2
    vmladava.s8 r6, \x, q3
    vldrw.32    q2, [r11], #16
    vmladava.s8 lr, \y, q3
    .endm

/* ... that are loaded */
    .macro pairs_loaded at
    vldrb.8     q0, [r3, #\at]
    vmladava.s8 r0, q0, q2
    vldrb.8     q1, [r5, #\at]
    vmladava.s8 r8, q1, q2
    vldrw.32    q3, [r11], #16
    vmladava.s8 r2, q0, q3
    vldrw.32    q2, [r11], #16
    vmladava.s8 r10, q1, q3
    vmladava.s8 r4, q0, q2
    vldrw.32    q3, [r11], #16
    vmladava.s8 r12, q1, q2
    vmladava.s8 r6, q0, q3
    vldrw.32    q2, [r11], #16
    vmladava.s8 lr, q1, q3
    .endm

    .macro pairs_second tail
    .ifc \tail,tail
    vldrw.32    q3, [r11, #-8]
    .else
    vldrw.32    q3, [r11], #16
    .endif
    .endm

    .macro pairs_next tail, w
    .ifc \tail,tail
    vldrw.32    \w, [r11], #8
    .else
    vldrw.32    \w, [r11], #16
    .endif
    .endm

/* all steps of two pixels by four channels; `again`: the last one that was loaded is still there, and comes first */
    .macro pairs_steps units, tail, middle, again=0
    .if         \again & (\units > 2)
    pairs_two   whole, q0, q1
    .endif
    .irp        at, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240
    .if         \at < 16 * (\units - 2 - \again)
    pairs_loaded (\at - \middle)
    .endif
    .endr
    .if         \units > 1
    pairs_two   whole, q4, q5
    .endif
    pairs_two   \tail, q6, q7
    .endm

/* all steps of one pixel, whose last four are held; in the order of pairs_steps */
    .macro pairs_alone units, tail, again, a, b, c, d
    .if         \again & (\units > 2)
    pairs_one   whole, q5, \a, \b, \c, \d
    .endif
    .irp        at, 0, 16, 32, 48
    .if         \at < 16 * (\units - 4)
    vldrb.8     q0, [r3, #\at]
    pairs_one   whole, q0, \a, \b, \c, \d
    .endif
    .endr
    .if         \units > 3
    pairs_one   whole, q4, \a, \b, \c, \d
    .endif
    .if         (\units > 2) & !\again
    pairs_one   whole, q5, \a, \b, \c, \d
    .endif
    .if         \units > 1
    pairs_one   whole, q6, \a, \b, \c, \d
    .endif
    pairs_one   \tail, q7, \a, \b, \c, \d
    .endm

/* a pixel's step that stays in a register; of a tail, what is beyond it is zero */
    .macro pairs_hold tail, x, at
    .ifc \tail,tail
    vpst
    vldrbt.u8   \x, [\at]
    .else
    vldrb.8     \x, [\at]
    .endif
    .endm

/* r0 activations, r1 packed, r2 output, r3 shape; then r1 output, r3 activations, r6 out_c, r8 tail, r9 zero point, r11 packed */
    .macro pairs_begin
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r11, r1
    mov         r1, r2
    ldrd        r4, r5, [r3]
    ldr         r8, [r3, #12]
    ldrd        r6, r9, [r3, #16]
    ldr         r7, [r3, #36]
    str         r8, [sp, #TAIL]
    strd        r4, r11, [sp, #PIXELS]
    strd        r5, r6, [sp, #X_STEP]
    str         r7, [sp, #OUT_STEP]
    mov         r3, r0
    .endm

    .macro pairs_finish name
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

/* r3 and r5 the pixels' activations, r1 and r7 their outputs, r9 zero point, r11 packed weights; even registers accumulate; q4
   to q7 the steps that are held. An odd pixel is computed twice and written to one place. */
    .macro pairs name, units, tail, middle
hil_function \name
    pairs_begin
    .if         \middle
    add         r3, r3, #\middle
    .endif
1:  /* the next pair of pixels */
    ldr         r4, [sp, #PIXELS]
    ldrd        r6, r8, [sp, #X_STEP]
    cmp         r4, #1
    blt.w       4f
    ldr         r7, [sp, #OUT_STEP]
    it          eq
    moveq       r7, #0
    add         r7, r7, r1
    mov         r5, r3
    it          gt
    addgt       r5, r3, r6
    add         r8, r8, r1
    str         r8, [sp, #END]
    .if         \units > 2
    add         r0, r3, #16 * (\units - 2) - \middle
    add         r2, r5, #16 * (\units - 2) - \middle
    .else
    mov         r0, r3
    mov         r2, r5
    .endif
    .if         \units > 1
    vldrb.8     q4, [r0], #16
    vldrb.8     q5, [r2], #16
    .endif
    .ifc \tail,tail
    ldr         r6, [sp, #TAIL]
    vctp.8      r6
    .endif
    pairs_hold  \tail, q6, r0
    pairs_hold  \tail, q7, r2
    ldr         r11, [sp, #PACKED]
2:  /* eight channels: the even ones, */
    ldm         r11, {r0, r2, r4, r6}
    ldm         r11!, {r8, r10, r12, lr}
    vldrw.32    q2, [r11], #16
    pairs_steps \units, \tail, \middle
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    /* and the odd ones, the first one's weights in q2 but for a tail alone */
    .ifc \units\tail,1tail
    ldmdb       r11, {r0, r2, r4, r6}
    ldmdb       r11, {r8, r10, r12, lr}
    vldrw.32    q2, [r11], #16
    .else
    ldm         r11, {r0, r2, r4, r6}
    ldm         r11!, {r8, r10, r12, lr}
    .endif
    pairs_steps \units, \tail, \middle, 1
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp, #32]
    vldrw.32    q1, [sp, #48]
    vqrdmulh.s32 q0, q0, q2
    vldrw.32    q3, [r11], #16
    vqrdmulh.s32 q1, q1, q2
    vldrw.32    q2, [sp, #16]
    vqrdmlash.s32 q0, q3, r9
    vqrdmlash.s32 q1, q3, r9
    vldrw.32    q3, [r11], #16
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1                  /* even channels, the two pixels in turn */
    vldrw.32    q1, [sp]
    vqrdmulh.s32 q2, q2, q3
    vqmovnb.s16 q0, q0
    vqrdmulh.s32 q1, q1, q3
    vldrw.32    q3, [r11], #16
    vqrdmlash.s32 q1, q3, r9
    ldr         r2, [sp, #64]!
    vqrdmlash.s32 q2, q3, r9
    vqmovnb.s32 q1, q1
    vqmovnt.s32 q1, q2
    vqmovnt.s16 q0, q1                  /* and odd ones: two bytes of each pixel in turn */
    vshr.u32    q1, q0, #16
    vstrh.32    q0, [r1], #8
    cmp         r1, r2
    vstrh.32    q1, [r7], #8
    bne.w       2b
    ldrd        r6, r8, [sp, #X_STEP]
    ldr         r7, [sp, #OUT_STEP]
    ldr         r4, [sp, #PIXELS]
    sub         r1, r1, r8
    add         r3, r3, r6, lsl #1
    add         r1, r1, r7, lsl #1
    sub         r4, r4, #2
    str         r4, [sp, #PIXELS]
    b.w         1b
4:
    pairs_finish \name
    .endm

/* The same for one pixel, whose last four steps are held. */
    .macro alone name, units, tail
hil_function \name
    pairs_begin
    add         r6, r6, r1
    str         r6, [sp, #END]
    .if         \units > 4
    add         r0, r3, #16 * (\units - 4)
    .endif
    .if         \units > 3
    vldrb.8     q4, [r0], #16
    .endif
    .if         \units > 2
    vldrb.8     q5, [r0], #16
    .endif
    .if         \units > 1
    vldrb.8     q6, [r0], #16
    .endif
    .ifc \tail,tail
    vctp.8      r8
    .endif
    pairs_hold  \tail, q7, r0
2:
    ldm         r11!, {r0, r2, r4, r6}
    vldrw.32    q2, [r11], #16
    pairs_alone \units, \tail, 0, r0, r2, r4, r6
    .ifc \units\tail,1tail
    ldmdb       r11, {r8, r10, r12, lr}
    vldrw.32    q2, [r11], #16
    .else
    ldm         r11!, {r8, r10, r12, lr}
    .endif
    pairs_alone \units, \tail, 1, r8, r10, r12, lr
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp]
    vldrw.32    q3, [r11], #16
    vqrdmulh.s32 q0, q0, q2
    vldrw.32    q2, [r11], #16
    vldrw.32    q1, [sp, #16]
    vqrdmlash.s32 q0, q3, r9
    vldrw.32    q3, [r11], #16
    vqrdmulh.s32 q1, q1, q2
    ldr         r2, [sp, #32]!
    vqrdmlash.s32 q1, q3, r9
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    vqmovnb.s16 q0, q0
    vstrb.16    q0, [r1], #8
    cmp         r1, r2
    bne.w       2b
    pairs_finish \name
    .endm

    pairs       gemm_pairs_s8_mve_1, 1, whole, 0
    pairs       gemm_pairs_s8_mve_1_tail, 1, tail, 0
    pairs       gemm_pairs_s8_mve_2, 2, whole, 0
    pairs       gemm_pairs_s8_mve_2_tail, 2, tail, 0
    pairs       gemm_pairs_s8_mve_3, 3, whole, 0
    pairs       gemm_pairs_s8_mve_3_tail, 3, tail, 0
    pairs       gemm_pairs_s8_mve_4, 4, whole, 0
    pairs       gemm_pairs_s8_mve_4_tail, 4, tail, 0
    pairs       gemm_pairs_s8_mve_5, 5, whole, 0
    pairs       gemm_pairs_s8_mve_5_tail, 5, tail, 0
    pairs       gemm_pairs_s8_mve_6, 6, whole, 0
    pairs       gemm_pairs_s8_mve_6_tail, 6, tail, 0
    pairs       gemm_pairs_s8_mve_7, 7, whole, 0
    pairs       gemm_pairs_s8_mve_7_tail, 7, tail, 0
    pairs       gemm_pairs_s8_mve_8, 8, whole, 0
    pairs       gemm_pairs_s8_mve_8_tail, 8, tail, 0
    pairs       gemm_pairs_s8_mve_9, 9, whole, 120
    pairs       gemm_pairs_s8_mve_9_tail, 9, tail, 120
    pairs       gemm_pairs_s8_mve_10, 10, whole, 120
    pairs       gemm_pairs_s8_mve_10_tail, 10, tail, 120
    pairs       gemm_pairs_s8_mve_11, 11, whole, 120
    pairs       gemm_pairs_s8_mve_11_tail, 11, tail, 120
    pairs       gemm_pairs_s8_mve_12, 12, whole, 120
    pairs       gemm_pairs_s8_mve_12_tail, 12, tail, 120
    pairs       gemm_pairs_s8_mve_13, 13, whole, 120
    pairs       gemm_pairs_s8_mve_13_tail, 13, tail, 120
    pairs       gemm_pairs_s8_mve_14, 14, whole, 120
    pairs       gemm_pairs_s8_mve_14_tail, 14, tail, 120
    pairs       gemm_pairs_s8_mve_15, 15, whole, 120
    pairs       gemm_pairs_s8_mve_15_tail, 15, tail, 120
    pairs       gemm_pairs_s8_mve_16, 16, whole, 120
    pairs       gemm_pairs_s8_mve_16_tail, 16, tail, 120
    pairs       gemm_pairs_s8_mve_17, 17, whole, 120
    pairs       gemm_pairs_s8_mve_17_tail, 17, tail, 120
    pairs       gemm_pairs_s8_mve_18, 18, whole, 120
    pairs       gemm_pairs_s8_mve_18_tail, 18, tail, 120
    alone       gemm_alone_s8_mve_1, 1, whole
    alone       gemm_alone_s8_mve_1_tail, 1, tail
    alone       gemm_alone_s8_mve_2, 2, whole
    alone       gemm_alone_s8_mve_2_tail, 2, tail
    alone       gemm_alone_s8_mve_3, 3, whole
    alone       gemm_alone_s8_mve_3_tail, 3, tail
    alone       gemm_alone_s8_mve_4, 4, whole
    alone       gemm_alone_s8_mve_4_tail, 4, tail
    alone       gemm_alone_s8_mve_5, 5, whole
    alone       gemm_alone_s8_mve_5_tail, 5, tail
    alone       gemm_alone_s8_mve_6, 6, whole
    alone       gemm_alone_s8_mve_6_tail, 6, tail
    alone       gemm_alone_s8_mve_7, 7, whole
    alone       gemm_alone_s8_mve_7_tail, 7, tail
    alone       gemm_alone_s8_mve_8, 8, whole
    alone       gemm_alone_s8_mve_8_tail, 8, tail
