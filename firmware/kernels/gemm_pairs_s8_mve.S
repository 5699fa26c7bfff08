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
    vldrw.32    q2, [r3], #16
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
    vldrw.32    q2, [r3], #16
    vmladava.s8 lr, \y, q3
    .endm

/* ... that are loaded */
    .macro pairs_loaded at
    vldrb.8     q0, [r11, #\at]
    vmladava.s8 r0, q0, q2
    vldrb.8     q1, [r5, #\at]
    vmladava.s8 r8, q1, q2
    vldrw.32    q3, [r3], #16
    vmladava.s8 r2, q0, q3
    vldrw.32    q2, [r3], #16
    vmladava.s8 r10, q1, q3
    vmladava.s8 r4, q0, q2
    vldrw.32    q3, [r3], #16
    vmladava.s8 r12, q1, q2
    vmladava.s8 r6, q0, q3
    vldrw.32    q2, [r3], #16
    vmladava.s8 lr, q1, q3
    .endm

    .macro pairs_second tail
    .ifc \tail,tail
    vldrw.32    q3, [r3, #-8]
    .else
    vldrw.32    q3, [r3], #16
    .endif
    .endm

    .macro pairs_next tail, w
    .ifc \tail,tail
    vldrw.32    \w, [r3], #8
    .else
    vldrw.32    \w, [r3], #16
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
    vldrb.8     q0, [r11, #\at]
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

/* four channels' negated shifts or, in the form signed, factors (requant_mve.h) to q3 */
    .macro pairs_shifts form
    .ifc \form,relu
    vldrb.s32   q3, [r3], #4
    .else
    vldrw.32    q3, [r3], #16
    .endif
    .endm

/* the second rounding; signed, with the zero point */
    .macro pairs_shift form, x
    .ifc \form,relu
    vrshl.s32   \x, \x, q3
    .else
    vqrdmlash.s32 \x, q3, r9
    .endif
    .endm

/* 16-bit lanes to bytes in q0, which are unsigned as long as the form relu has no zero point in them */
    .macro pairs_narrow form, half, x
    .ifc \form,relu
    vqmovun\half\().s16 q0, \x
    .else
    vqmovn\half\().s16 q0, \x
    .endif
    .endm

    .macro pairs_zero form
    .ifc \form,relu
    vadd.i8     q0, q0, r9              /* -128 */
    .endif
    .endm

/* r0 activations, r1 packed, r2 output, r3 shape; then r1 output, r3 packed, r6 out_c, r8 tail, r9 zero point, r11 activations */
    .macro pairs_begin
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r10, r1
    mov         r1, r2
    ldrd        r4, r5, [r3]
    ldr         r8, [r3, #12]
    ldrd        r6, r9, [r3, #16]
    ldr         r7, [r3, #36]
    str         r8, [sp, #TAIL]
    strd        r4, r10, [sp, #PIXELS]
    strd        r5, r6, [sp, #X_STEP]
    str         r7, [sp, #OUT_STEP]
    mov         r3, r10
    mov         r11, r0
    .endm

    .macro pairs_finish name
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

/* r11 and r5 the pixels' activations, r1 and r7 their outputs, r9 zero point, r3 packed weights; even registers accumulate; q4
   to q7 the steps that are held. An odd pixel is computed twice and written to one place. */
    .macro pairs name, form, units, tail, middle
hil_function \name
    pairs_begin
    .if         \middle
    add         r11, r11, #\middle
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
    mov         r5, r11
    it          gt
    addgt       r5, r11, r6
    add         r8, r8, r1
    str         r8, [sp, #END]
    .if         \units > 2
    add         r0, r11, #16 * (\units - 2) - \middle
    add         r2, r5, #16 * (\units - 2) - \middle
    .else
    mov         r0, r11
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
    ldr         r3, [sp, #PACKED]
2:  /* eight channels: the even ones, */
    ldm         r3, {r0, r2, r4, r6}
    ldm         r3!, {r8, r10, r12, lr}
    vldrw.32    q2, [r3], #16
    pairs_steps \units, \tail, \middle
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    /* and the odd ones, the first one's weights in q2 but for a tail alone */
    .ifc \units\tail,1tail
    ldmdb       r3, {r0, r2, r4, r6}
    ldmdb       r3, {r8, r10, r12, lr}
    vldrw.32    q2, [r3], #16
    .else
    ldm         r3, {r0, r2, r4, r6}
    ldm         r3!, {r8, r10, r12, lr}
    .endif
    pairs_steps \units, \tail, \middle, 1
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp, #32]
    vldrw.32    q1, [sp, #48]
    vqrdmulh.s32 q0, q0, q2
    pairs_shifts \form
    vqrdmulh.s32 q1, q1, q2
    vldrw.32    q2, [sp, #16]
    pairs_shift \form, q0
    pairs_shift \form, q1
    vldrw.32    q3, [r3], #16
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1                  /* even channels, the two pixels in turn */
    vldrw.32    q1, [sp]
    vqrdmulh.s32 q2, q2, q3
    pairs_narrow \form, b, q0
    vqrdmulh.s32 q1, q1, q3
    pairs_shifts \form
    pairs_shift \form, q1
    ldr         r2, [sp, #64]!
    pairs_shift \form, q2
    vqmovnb.s32 q1, q1
    vqmovnt.s32 q1, q2
    pairs_narrow \form, t, q1           /* and odd ones: two bytes of each pixel in turn */
    pairs_zero  \form
    vshr.u32    q1, q0, #16
    vstrh.32    q0, [r1], #8
    cmp         r1, r2
    vstrh.32    q1, [r7], #8
    bne.w       2b
    ldrd        r6, r8, [sp, #X_STEP]
    ldr         r7, [sp, #OUT_STEP]
    ldr         r4, [sp, #PIXELS]
    sub         r1, r1, r8
    add         r11, r11, r6, lsl #1
    add         r1, r1, r7, lsl #1
    sub         r4, r4, #2
    str         r4, [sp, #PIXELS]
    b.w         1b
4:
    pairs_finish \name
    .endm

/* The same for one pixel, whose last four steps are held. */
    .macro alone name, form, units, tail
hil_function \name
    pairs_begin
    add         r6, r6, r1
    str         r6, [sp, #END]
    .if         \units > 4
    add         r0, r11, #16 * (\units - 4)
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
    ldm         r3!, {r0, r2, r4, r6}
    vldrw.32    q2, [r3], #16
    pairs_alone \units, \tail, 0, r0, r2, r4, r6
    .ifc \units\tail,1tail
    ldmdb       r3, {r8, r10, r12, lr}
    vldrw.32    q2, [r3], #16
    .else
    ldm         r3!, {r8, r10, r12, lr}
    .endif
    pairs_alone \units, \tail, 1, r8, r10, r12, lr
    push        {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp]
    pairs_shifts \form
    vqrdmulh.s32 q0, q0, q2
    vldrw.32    q2, [r3], #16
    vldrw.32    q1, [sp, #16]
    pairs_shift \form, q0
    pairs_shifts \form
    vqrdmulh.s32 q1, q1, q2
    ldr         r2, [sp, #32]!
    pairs_shift \form, q1
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    pairs_narrow \form, b, q0
    pairs_zero  \form
    vstrb.16    q0, [r1], #8
    cmp         r1, r2
    bne.w       2b
    pairs_finish \name
    .endm

    pairs       gemm_pairs_s8_mve_relu_1, relu, 1, whole, 0
    pairs       gemm_pairs_s8_mve_relu_1_tail, relu, 1, tail, 0
    pairs       gemm_pairs_s8_mve_relu_2, relu, 2, whole, 0
    pairs       gemm_pairs_s8_mve_relu_2_tail, relu, 2, tail, 0
    pairs       gemm_pairs_s8_mve_relu_3, relu, 3, whole, 0
    pairs       gemm_pairs_s8_mve_relu_3_tail, relu, 3, tail, 0
    pairs       gemm_pairs_s8_mve_relu_4, relu, 4, whole, 0
    pairs       gemm_pairs_s8_mve_relu_4_tail, relu, 4, tail, 0
    pairs       gemm_pairs_s8_mve_relu_5, relu, 5, whole, 0
    pairs       gemm_pairs_s8_mve_relu_5_tail, relu, 5, tail, 0
    pairs       gemm_pairs_s8_mve_relu_6, relu, 6, whole, 0
    pairs       gemm_pairs_s8_mve_relu_6_tail, relu, 6, tail, 0
    pairs       gemm_pairs_s8_mve_relu_7, relu, 7, whole, 0
    pairs       gemm_pairs_s8_mve_relu_7_tail, relu, 7, tail, 0
    pairs       gemm_pairs_s8_mve_relu_8, relu, 8, whole, 0
    pairs       gemm_pairs_s8_mve_relu_8_tail, relu, 8, tail, 0
    pairs       gemm_pairs_s8_mve_relu_9, relu, 9, whole, 120
    pairs       gemm_pairs_s8_mve_relu_9_tail, relu, 9, tail, 120
    pairs       gemm_pairs_s8_mve_relu_10, relu, 10, whole, 120
    pairs       gemm_pairs_s8_mve_relu_10_tail, relu, 10, tail, 120
    pairs       gemm_pairs_s8_mve_relu_11, relu, 11, whole, 120
    pairs       gemm_pairs_s8_mve_relu_11_tail, relu, 11, tail, 120
    pairs       gemm_pairs_s8_mve_relu_12, relu, 12, whole, 120
    pairs       gemm_pairs_s8_mve_relu_12_tail, relu, 12, tail, 120
    pairs       gemm_pairs_s8_mve_relu_13, relu, 13, whole, 120
    pairs       gemm_pairs_s8_mve_relu_13_tail, relu, 13, tail, 120
    pairs       gemm_pairs_s8_mve_relu_14, relu, 14, whole, 120
    pairs       gemm_pairs_s8_mve_relu_14_tail, relu, 14, tail, 120
    pairs       gemm_pairs_s8_mve_relu_15, relu, 15, whole, 120
    pairs       gemm_pairs_s8_mve_relu_15_tail, relu, 15, tail, 120
    pairs       gemm_pairs_s8_mve_relu_16, relu, 16, whole, 120
    pairs       gemm_pairs_s8_mve_relu_16_tail, relu, 16, tail, 120
    pairs       gemm_pairs_s8_mve_relu_17, relu, 17, whole, 120
    pairs       gemm_pairs_s8_mve_relu_17_tail, relu, 17, tail, 120
    pairs       gemm_pairs_s8_mve_relu_18, relu, 18, whole, 120
    pairs       gemm_pairs_s8_mve_relu_18_tail, relu, 18, tail, 120
    alone       gemm_alone_s8_mve_relu_1, relu, 1, whole
    alone       gemm_alone_s8_mve_relu_1_tail, relu, 1, tail
    alone       gemm_alone_s8_mve_relu_2, relu, 2, whole
    alone       gemm_alone_s8_mve_relu_2_tail, relu, 2, tail
    alone       gemm_alone_s8_mve_relu_3, relu, 3, whole
    alone       gemm_alone_s8_mve_relu_3_tail, relu, 3, tail
    alone       gemm_alone_s8_mve_relu_4, relu, 4, whole
    alone       gemm_alone_s8_mve_relu_4_tail, relu, 4, tail
    alone       gemm_alone_s8_mve_relu_5, relu, 5, whole
    alone       gemm_alone_s8_mve_relu_5_tail, relu, 5, tail
    alone       gemm_alone_s8_mve_relu_6, relu, 6, whole
    alone       gemm_alone_s8_mve_relu_6_tail, relu, 6, tail
    alone       gemm_alone_s8_mve_relu_7, relu, 7, whole
    alone       gemm_alone_s8_mve_relu_7_tail, relu, 7, tail
    alone       gemm_alone_s8_mve_relu_8, relu, 8, whole
    alone       gemm_alone_s8_mve_relu_8_tail, relu, 8, tail
    pairs       gemm_pairs_s8_mve_signed_1, signed, 1, whole, 0
    pairs       gemm_pairs_s8_mve_signed_1_tail, signed, 1, tail, 0
    pairs       gemm_pairs_s8_mve_signed_2, signed, 2, whole, 0
    pairs       gemm_pairs_s8_mve_signed_2_tail, signed, 2, tail, 0
    pairs       gemm_pairs_s8_mve_signed_3, signed, 3, whole, 0
    pairs       gemm_pairs_s8_mve_signed_3_tail, signed, 3, tail, 0
    pairs       gemm_pairs_s8_mve_signed_4, signed, 4, whole, 0
    pairs       gemm_pairs_s8_mve_signed_4_tail, signed, 4, tail, 0
    pairs       gemm_pairs_s8_mve_signed_5, signed, 5, whole, 0
    pairs       gemm_pairs_s8_mve_signed_5_tail, signed, 5, tail, 0
    pairs       gemm_pairs_s8_mve_signed_6, signed, 6, whole, 0
    pairs       gemm_pairs_s8_mve_signed_6_tail, signed, 6, tail, 0
    pairs       gemm_pairs_s8_mve_signed_7, signed, 7, whole, 0
    pairs       gemm_pairs_s8_mve_signed_7_tail, signed, 7, tail, 0
    pairs       gemm_pairs_s8_mve_signed_8, signed, 8, whole, 0
    pairs       gemm_pairs_s8_mve_signed_8_tail, signed, 8, tail, 0
    pairs       gemm_pairs_s8_mve_signed_9, signed, 9, whole, 120
    pairs       gemm_pairs_s8_mve_signed_9_tail, signed, 9, tail, 120
    pairs       gemm_pairs_s8_mve_signed_10, signed, 10, whole, 120
    pairs       gemm_pairs_s8_mve_signed_10_tail, signed, 10, tail, 120
    pairs       gemm_pairs_s8_mve_signed_11, signed, 11, whole, 120
    pairs       gemm_pairs_s8_mve_signed_11_tail, signed, 11, tail, 120
    pairs       gemm_pairs_s8_mve_signed_12, signed, 12, whole, 120
    pairs       gemm_pairs_s8_mve_signed_12_tail, signed, 12, tail, 120
    pairs       gemm_pairs_s8_mve_signed_13, signed, 13, whole, 120
    pairs       gemm_pairs_s8_mve_signed_13_tail, signed, 13, tail, 120
    pairs       gemm_pairs_s8_mve_signed_14, signed, 14, whole, 120
    pairs       gemm_pairs_s8_mve_signed_14_tail, signed, 14, tail, 120
    pairs       gemm_pairs_s8_mve_signed_15, signed, 15, whole, 120
    pairs       gemm_pairs_s8_mve_signed_15_tail, signed, 15, tail, 120
    pairs       gemm_pairs_s8_mve_signed_16, signed, 16, whole, 120
    pairs       gemm_pairs_s8_mve_signed_16_tail, signed, 16, tail, 120
    pairs       gemm_pairs_s8_mve_signed_17, signed, 17, whole, 120
    pairs       gemm_pairs_s8_mve_signed_17_tail, signed, 17, tail, 120
    pairs       gemm_pairs_s8_mve_signed_18, signed, 18, whole, 120
    pairs       gemm_pairs_s8_mve_signed_18_tail, signed, 18, tail, 120
    alone       gemm_alone_s8_mve_signed_1, signed, 1, whole
    alone       gemm_alone_s8_mve_signed_1_tail, signed, 1, tail
    alone       gemm_alone_s8_mve_signed_2, signed, 2, whole
    alone       gemm_alone_s8_mve_signed_2_tail, signed, 2, tail
    alone       gemm_alone_s8_mve_signed_3, signed, 3, whole
    alone       gemm_alone_s8_mve_signed_3_tail, signed, 3, tail
    alone       gemm_alone_s8_mve_signed_4, signed, 4, whole
    alone       gemm_alone_s8_mve_signed_4_tail, signed, 4, tail
    alone       gemm_alone_s8_mve_signed_5, signed, 5, whole
    alone       gemm_alone_s8_mve_signed_5_tail, signed, 5, tail
    alone       gemm_alone_s8_mve_signed_6, signed, 6, whole
    alone       gemm_alone_s8_mve_signed_6_tail, signed, 6, tail
    alone       gemm_alone_s8_mve_signed_7, signed, 7, whole
    alone       gemm_alone_s8_mve_signed_7_tail, signed, 7, tail
    alone       gemm_alone_s8_mve_signed_8, signed, 8, whole
    alone       gemm_alone_s8_mve_signed_8_tail, signed, 8, tail
