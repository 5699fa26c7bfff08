/* Two pixels by four channels with VMLADAVA: the frame of gemm_s8_mve.h and gemm_int4_mve.h, who say first what a step is:
 *
 *   gemm_step x0, x1, load_0, load_1: 16 activations of two pixels, which load_0 and load_1 load, if anything is; the first
 *     weights, in q2, are loaded in the step before. STEP_BYTES: of its code, with loads.
 *   gemm_tail x0, x1: up to 8 activations after them. After both q2 is what follows the weights.
 *   gemm_sums: what is to be done to accumulators at the end.
 *
 * A pixel's last two steps, its tail being one, stay in registers for all blocks of channels (`single`: there is but one).
 * The others are loaded: up to 6 (`short`) or 16 (`long`) at fixed distances, entered where as many are left as there are, or
 * any number in a loop (`far`). */
#include "kernel_asm.h"
#include "requant_mve.h"

/* stack frame */
    .equ SUMS, 0        /* accumulators: four channels of the first pixel, and of the second */
    .equ OFFSETS, 32    /* of the outputs */
    .equ LOW, 48        /* clamp */
    .equ HIGH, 64
    .equ X0, 80         /* the pair's pixels */
    .equ X1, 84
    .equ ROUNDS, 88     /* of the loop over steps, four a round */
    .equ ENTRY, 92      /* where the first step to load is */
    .equ HELD, 96       /* bytes from a pixel to its last step but one */
    .equ TAIL, 100
    .equ PIXELS, 104    /* still to do */
    .equ PACKED, 108
    .equ BLOCKS, 112
    .equ ADVANCE, 116   /* of the output's address from the end of a pair's first pixel to the next pair */
    .equ OVERLAP, 120   /* what to add to the output's address before the last block, or 0 */
    .equ LAST, 124      /* channel */
    .equ STEP, 128
    .equ ZERO, 132
    .equ FRAME, 136

    .equ MIDDLE, 136    /* bytes before the steps that are held, from which distances of the others are counted */

/* offsets of the outputs: r0 is 0; odd lanes are the second pixel's, `step` (a register) behind the first's or, of a single
   pixel, at the same place. Fewer channels than four: the last one stands for those that are missing. */
    .macro gemm_offsets step
    vidup.u16   q0, r0, #1
    .ifnc \step,none
    vmov.i16    q1, #1
    vand        q1, q1, q0
    .endif
    vshr.u16    q0, q0, #1
    ldr         r0, [sp, #LAST]
    vdup.16     q2, r0
    vmin.u16    q0, q0, q2
    .ifnc \step,none
    vmla.s16    q0, q1, \step       /* 0, step, 1, step + 1, ... */
    .endif
    vstrw.32    q0, [sp, #OFFSETS]
    .endm

/* r1 packed weights, r3 and r5 activations, r7 zero point or rounds, r9 blocks still to do, r11 output; even registers
   accumulate; q4 to q7 the steps that are held */
    .macro gemm name, form, tail, reach
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r11, r2
    ldrd        r4, r5, [r3]        /* pixels, x_step */
    ldrd        r6, r7, [r3, #8]    /* steps, tail */
    ldrd        r8, r9, [r3, #16]   /* out_c, out_zero */
    add         r2, r0, r5
    strd        r0, r2, [sp, #X0]
    strd        r4, r1, [sp, #PIXELS]
    strd        r5, r9, [sp, #STEP]
    .ifnc \form,relu
    .ifnc \form,signed
    ldrd        r10, r12, [r3, #24]
    vdup.16     q0, r10
    vstrw.32    q0, [sp, #LOW]
    vdup.16     q0, r12
    vstrw.32    q0, [sp, #HIGH]
    .endif
    .endif
    .ifc \tail,tail
    add         r6, r6, #1
    .endif
    lsl         r10, r6, #4
    sub         r10, r10, #32
    strd        r10, r7, [sp, #HELD]
    .ifc \reach,far
    adr         r12, 2f
    add         r2, r6, #1          /* (steps - 2 + 3) / 4 */
    lsr         r2, r2, #2
    str         r2, [sp, #ROUNDS]
    rsb         r10, r6, #2
    and         r10, r10, #3
    mov         lr, #STEP_BYTES
    mla         r12, r10, lr, r12
    .endif
    .ifc \reach,short
    adr         r12, 2f
    rsb         r10, r6, #8
    mov         lr, #STEP_BYTES
    mla         r12, r10, lr, r12
    .endif
    .ifc \reach,long
    adr         r12, 2f
    rsb         r10, r6, #18
    mov         lr, #STEP_BYTES
    mla         r12, r10, lr, r12
    .endif
    .ifnc \reach,single
    orr         r12, r12, #1
    str         r12, [sp, #ENTRY]
    .endif
    lsr         r9, r8, #2
    ands        r2, r8, #3
    it          ne
    subne       r2, r2, #4
    sub         r4, r8, #1
    strd        r2, r4, [sp, #OVERLAP]
    ldr         r6, [r3, #36]       /* out_step */
    cmp         r8, #4
    it          lt
    movlt       r8, #4
    rsb         r8, r8, r6, lsl #1
    strd        r9, r8, [sp, #BLOCKS]
    movs        r0, #0
    gemm_offsets r6
    .ifnc \reach,far
    ldrd        r3, r5, [sp, #X0]
    ldr         r2, [sp, #HELD]
    ldr         r7, [sp, #ZERO]
    sub         r2, r2, #MIDDLE
    add         r3, r3, r2
    add         r5, r5, r2
    .endif
    b           5f
    .balign     4
1:  /* a block of four channels */
    ldm         r1, {r0, r2, r4, r6}
    ldm         r1!, {r8, r10, r12, lr}
    vldrw.32    q2, [r1], #16
    .ifc \reach,far
    ldrd        r3, r5, [sp, #X0]
    ldr         r7, [sp, #ROUNDS]
    .endif
    .ifnc \reach,single
    ldr         pc, [sp, #ENTRY]
    .balign     4
2:
    .endif
    .ifc \reach,far
    .rept       4
    gemm_step   q0, q1, "vldrb.8 q0, [r3], #16", "vldrb.8 q1, [r5], #16"
    .endr
    subs        r7, r7, #1
    bne.w       2b
    .endif
    .ifc \reach,long
    .irp        at, -120, -104, -88, -72, -56, -40, -24, -8, 8, 24
    gemm_step   q0, q1, "vldrb.8 q0, [r3, #\at]", "vldrb.8 q1, [r5, #\at]"
    .endr
    .endif
    .ifnc \reach,single
    .ifnc \reach,far
    .irp        at, 40, 56, 72, 88, 104, 120
    gemm_step   q0, q1, "vldrb.8 q0, [r3, #\at]", "vldrb.8 q1, [r5, #\at]"
    .endr
    .endif
    gemm_step   q4, q5
    .endif
    .ifc \tail,tail
    gemm_tail   q6, q7
    .else
    gemm_step   q6, q7
    .endif
    gemm_sums
    stm         sp, {r0, r2, r4, r6, r8, r10, r12, lr}
    .ifc \form,general
    vldrb.s32   q3, [r1], #4
    .endif
    vldrw.32    q0, [sp, #SUMS]
    .ifc \form,general
    vshl.s32    q0, q0, q3
    .endif
    requant_mve_multiply \form, q0, q2
    vldrw.32    q1, [sp, #SUMS + 16]
    .ifc \form,general
    vshl.s32    q1, q1, q3
    .endif
    requant_mve_shifts \form, q3, r1
    requant_mve_multiply \form, q1, q2
    .ifc \reach,far
    ldr         r7, [sp, #ZERO]
    .endif
    requant_mve_shift \form, q0, q3, q2
    requant_mve_shift \form, q1, q3, q2
    vldrw.32    q2, [sp, #OFFSETS]
    vqmovnb.s32 q0, q0
    subs        r9, r9, #1
    vqmovnt.s32 q0, q1
    .ifnc \form,relu
    .ifnc \form,signed
    vldrw.32    q1, [sp, #LOW]
    vqadd.s16   q0, q0, r7
    vldrw.32    q3, [sp, #HIGH]
    vmax.s16    q0, q0, q1
    vmin.s16    q0, q0, q3
    .endif
    .endif
    .ifc \form,relu
    vqadd.s16   q0, q0, r7
    vqmovnb.s16 q0, q0
    .endif
    .ifc \form,signed
    vqadd.s16   q0, q0, r7
    vqmovnb.s16 q0, q0
    .endif
    vstrb.16    q0, [r11, q2]
    add         r11, r11, #4
    bgt.w       1b
    ldr         r0, [sp, #OVERLAP]
    cbz         r0, 4f
    cmp         r9, #0
    itt         eq
    addeq       r11, r11, r0
    beq.w       1b                  /* the last block; it leaves r9 negative */
4:  /* the next pair of pixels */
    ldr         r4, [sp, #STEP]
    ldr         r6, [sp, #ADVANCE]
    .ifc \reach,far
    ldr         r2, [sp, #X1]
    add         r0, r2, r4
    add         r2, r0, r4
    strd        r0, r2, [sp, #X0]
    .else
    add         r3, r3, r4, lsl #1
    add         r5, r5, r4, lsl #1
    .endif
    add         r11, r11, r6
5:
    ldrd        r4, r1, [sp, #PIXELS]
    ldr         r9, [sp, #BLOCKS]
    subs        r4, r4, #2
    bpl.w       6f
    cmn         r4, #1
    bne         7f
    /* one pixel is left: it is computed twice and written to one place */
    .ifc \reach,far
    ldr         r0, [sp, #X0]
    str         r0, [sp, #X1]
    .else
    mov         r5, r3
    .endif
    movs        r0, #0
    gemm_offsets none
6:
    str         r4, [sp, #PIXELS]
    .ifc \reach,far
    ldr         r6, [sp, #HELD]
    ldrd        r0, r2, [sp, #X0]
    add         r0, r0, r6
    add         r2, r2, r6
    .else
    add         r0, r3, #MIDDLE
    add         r2, r5, #MIDDLE
    .endif
    .ifnc \reach,single
    vldrb.8     q4, [r0]
    vldrb.8     q5, [r2]
    .endif
    .ifc \tail,tail
    ldr         r4, [sp, #TAIL]
    vctp.8      r4
    vpstt
    vldrbt.u8   q6, [r0, #16]
    vldrbt.u8   q7, [r2, #16]
    .else
    vldrb.8     q6, [r0, #16]
    vldrb.8     q7, [r2, #16]
    .endif
    b.w         1b
7:
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm
