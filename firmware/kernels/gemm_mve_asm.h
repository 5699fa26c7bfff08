/* Two pixels by four channels with VMLADAVA: the frame of gemm_s8_mve.h and gemm_int4_mve.h, who say first what a step is:
 *
 *   gemm_step: 16 activations; the first weights, in q2, are loaded in the step before. STEP_BYTES: of its code.
 *   gemm_tail: up to 8 activations after them. After both q2 is what follows the weights.
 *   gemm_sums: accumulators -> q0 and q1, channels of the first pixel and the second. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* stack frame */
    .equ X0, 0          /* the pair's pixels */
    .equ X1, 4
    .equ ITERATIONS, 8  /* of the loop over steps, four a round */
    .equ ENTRY, 12      /* where its first round starts */
    .equ TAIL, 16
    .equ STEP, 20
    .equ PIXELS, 24     /* still to do */
    .equ PACKED, 28
    .equ BLOCKS, 32
    .equ ADVANCE, 36    /* of the output's address from the end of a pair's first pixel to the next pair */
    .equ OVERLAP, 40    /* what to add to the output's address before the last block, or 0 */
    .equ LAST, 44       /* channel */
    .equ FRAME, 48

    .macro gemm_push form, how
    .ifc \form,relu
    \how        {d8-d11}
    .endif
    .ifc \form,signed
    \how        {d8-d11}
    .endif
    .ifc \form,general
    \how        {d8-d15}
    .endif
    .ifc \form,float
    \how        {d8-d15}
    .endif
    .endm

/* r1 packed weights, r3 and r5 activations, r7 rounds, r9 blocks still to do, r11 output; even registers accumulate;
   q4 the outputs' offsets, q5 zero point, q6 and q7 clamp */
    .macro gemm name, form, tail
hil_function \name
    push        {r4-r11, lr}
    gemm_push \form, vpush
    sub         sp, sp, #FRAME
    mov         r11, r2
    ldrd        r4, r5, [r3]        /* pixels, x_step */
    ldrd        r6, r7, [r3, #8]    /* steps, tail */
    ldrd        r8, r9, [r3, #16]   /* out_c, out_zero */
    vdup.16     q5, r9
    .ifnc \form,relu
    .ifnc \form,signed
    ldrd        r10, r12, [r3, #24]
    vdup.16     q6, r10
    vdup.16     q7, r12
    .endif
    .endif
    add         r2, r0, r5
    strd        r0, r2, [sp, #X0]
    add         r2, r6, #3
    lsr         r2, r2, #2
    adr         r12, 2f
    and         r10, r6, #3
    rsb         r10, r10, #4
    and         r10, r10, #3
    mov         lr, #STEP_BYTES
    mla         r12, r10, lr, r12
    cmp         r6, #0
    it          eq
    adreq       r12, 3f
    orr         r12, r12, #1
    strd        r2, r12, [sp, #ITERATIONS]
    strd        r7, r5, [sp, #TAIL]
    strd        r4, r1, [sp, #PIXELS]
    lsr         r9, r8, #2
    str         r9, [sp, #BLOCKS]
    ands        r2, r8, #3
    it          ne
    subne       r2, r2, #4
    str         r2, [sp, #OVERLAP]
    movs        r0, #0
    vidup.u16   q4, r0, #1
    vmov.i16    q0, #1
    vand        q0, q0, q4
    vshr.u16    q4, q4, #1
    sub         r2, r8, #1
    str         r2, [sp, #LAST]
    vdup.16     q1, r2
    vmin.u16    q4, q4, q1          /* fewer than four: the last one stands for those that are missing */
    ldr         r6, [r3, #36]       /* out_step */
    vmla.s16    q4, q0, r6          /* 0, out_step, 1, out_step + 1, ... */
    cmp         r8, #4
    it          lt
    movlt       r8, #4
    rsb         r6, r8, r6, lsl #1
    str         r6, [sp, #ADVANCE]
    b           5f
    .balign     4
1:  /* a block of four channels */
    ldm         r1, {r0, r2, r4, r6}
    ldm         r1!, {r8, r10, r12, lr}
    vldrw.32    q2, [r1], #16
    ldrd        r3, r5, [sp, #X0]
    ldr         r7, [sp, #ITERATIONS]
    ldr         pc, [sp, #ENTRY]
    .balign     4
2:
    gemm_step
    gemm_step
    gemm_step
    gemm_step
    subs        r7, r7, #1
    bne.w       2b
    .balign     4
3:
    .ifc \tail,tail
    gemm_tail
    .endif
    gemm_sums
    .ifc \form,general
    vldrb.s32   q3, [r1], #4
    vshl.s32    q0, q0, q3
    vshl.s32    q1, q1, q3
    .endif
    requant_mve_shifts \form, q3, r1
    requant_mve_multiply \form, q0, q2
    requant_mve_multiply \form, q1, q2
    requant_mve_shift \form, q0, q3, q2
    requant_mve_shift \form, q1, q3, q2
    requant_mve_narrow \form, q0, q1, q5, q6, q7
    vstrb.16    q0, [r11, q4]
    add         r11, r11, #4
    subs        r9, r9, #1
    bgt.w       1b
    ldr         r0, [sp, #OVERLAP]
    cbz         r0, 4f
    cmp         r9, #0
    itt         eq
    addeq       r11, r11, r0
    beq.w       1b                  /* the last block; it leaves r9 negative */
4:  /* the next pair of pixels */
    ldrd        r0, r2, [sp, #X0]
    ldr         r4, [sp, #STEP]
    add         r0, r2, r4
    add         r2, r0, r4
    strd        r0, r2, [sp, #X0]
    ldr         r6, [sp, #ADVANCE]
    add         r11, r11, r6
5:
    ldrd        r4, r1, [sp, #PIXELS]
    ldr         r9, [sp, #BLOCKS]
    subs        r4, r4, #2
    str         r4, [sp, #PIXELS]
    bpl.w       1b
    cmn         r4, #1
    bne         6f
    /* one pixel is left: it is computed twice and written to one place */
    ldr         r0, [sp, #X0]
    str         r0, [sp, #X1]
    movs        r0, #0
    vidup.u16   q4, r0, #1
    vshr.u16    q4, q4, #1
    ldr         r0, [sp, #LAST]
    vdup.16     q0, r0
    vmin.u16    q4, q4, q0
    b.w         1b
6:
    add         sp, sp, #FRAME
    gemm_push \form, vpop
    pop         {r4-r11, pc}
hil_end \name
    .endm
