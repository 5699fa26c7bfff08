/* See fully_connected_uniform_s8_mve.h. */
#include "kernel_asm.h"

/* stack frame */
    .equ SUMS, 0        /* accumulators: even outputs, then odd ones */
    .equ ROW, 32        /* the row's first activation */
    .equ ROUNDS, 36     /* of the loop over vectors */
    .equ ENTRY, 40      /* where the first vector is */
    .equ MULTIPLIER, 44
    .equ ZERO, 48
    .equ PACKED, 52
    .equ BLOCKS, 56     /* whole ones */
    .equ BACK, 60       /* outputs that the last block moves back by, or 0 */
    .equ ROWS, 64       /* still to do */
    .equ DEPTH, 68
    .equ OUTPUTS, 72
    .equ FRAME, 80

    .equ STEP_BYTES, 68 /* of a vector's code with its load */
    .equ HELD_BYTES, 64
    .equ TOGETHER, 12   /* vectors of a round */

/* 16 activations by eight outputs; `load` loads them, if anything is */
    .macro step x, load
    \load
    vldrw.32    q1, [r1], #16
    vmladava.s8 r0, \x, q1
    vldrw.32    q2, [r1], #16
    vmladava.s8 r2, \x, q2
    vldrw.32    q1, [r1], #16
    vmladava.s8 r4, \x, q1
    vldrw.32    q2, [r1], #16
    vmladava.s8 r6, \x, q2
    vldrw.32    q1, [r1], #16
    vmladava.s8 r8, \x, q1
    vldrw.32    q2, [r1], #16
    vmladava.s8 r10, \x, q2
    vldrw.32    q1, [r1], #16
    vmladava.s8 r12, \x, q1
    vldrw.32    q2, [r1], #16
    vmladava.s8 lr, \x, q2
    .endm

/* one of the four last vectors, `from` the end */
    .macro hold x, from
    sub         r2, r3, #16 * \from
    cmp         r2, r0
    blt         0f
    vldrb.8     \x, [r2]
    .endm

/* r1 packed weights, r3 activations, r5 output, r7 multiplier or rounds, r9 blocks still to do, r11 factor; even
   registers accumulate; q4 to q7 the vectors that are held */
    .macro fully_connected name, reach
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    sub         sp, sp, #FRAME
    mov         r5, r2
    ldrd        r4, r6, [r3]        /* rows, depth */
    ldr         r8, [r3, #8]        /* outputs */
    ldrd        r7, r11, [r3, #12]  /* multiplier, factor */
    ldr         r10, [r3, #20]      /* out_zero */
    str         r0, [sp, #ROW]
    strd        r7, r10, [sp, #MULTIPLIER]
    strd        r4, r6, [sp, #ROWS]
    str         r8, [sp, #OUTPUTS]
    lsr         r2, r8, #3
    rsb         r9, r8, #0
    and         r9, r9, #7
    strd        r1, r2, [sp, #PACKED]
    str         r9, [sp, #BACK]
    add         r6, r6, #15
    lsr         r6, r6, #4          /* vectors */
    .ifc \reach,far
    sub         r10, r6, #4         /* vectors that are loaded */
    add         r2, r10, #TOGETHER - 1
    movs        r9, #TOGETHER
    udiv        r2, r2, r9          /* rounds */
    str         r2, [sp, #ROUNDS]
    mls         r10, r2, r9, r10
    rsb         r10, r10, #0        /* steps that the first one leaves out */
    adr         r12, 2f
    mov         lr, #STEP_BYTES
    mla         r12, r10, lr, r12
    .else
    adr         r12, 2f
    mov         lr, #STEP_BYTES
    rsb         r10, r6, #8
    cmp         r6, #4
    ittt        lt
    adrlt       r12, 3f
    movlt       lr, #HELD_BYTES
    rsblt       r10, r6, #4
    mla         r12, r10, lr, r12
    .endif
    orr         r12, r12, #1
    str         r12, [sp, #ENTRY]
    b           6f
    .balign     4
1:  /* eight outputs */
    ldm         r1!, {r0, r2, r4, r6, r8, r10, r12, lr}
    .ifc \reach,far
    ldrd        r3, r7, [sp, #ROW]
    .endif
    ldr         pc, [sp, #ENTRY]
    .balign     4
2:
    .ifc \reach,far
    .rept       TOGETHER
    step        q0, "vldrb.8 q0, [r3], #16"
    .endr
    subs        r7, r7, #1
    bne.w       2b
    .else
    .irp        at, -112, -96, -80, -64
    step        q0, "vldrb.8 q0, [r3, #\at]"
    .endr
    .endif
    .balign     4
3:
    step        q4
    step        q5
    step        q6
    step        q7
    stm         sp, {r0, r2, r4, r6, r8, r10, r12, lr}
    vldrw.32    q0, [sp, #SUMS]
    .ifc \reach,far
    ldr         r7, [sp, #MULTIPLIER]
    .endif
    vldrw.32    q1, [sp, #SUMS + 16]
    vqrdmulh.s32 q0, q0, r7
    vqrdmulh.s32 q1, q1, r7
    ldr         r0, [sp, #ZERO]
    vqrdmulh.s32 q0, q0, r11
    vqrdmulh.s32 q1, q1, r11
    vqmovnb.s32 q0, q0
    vqmovnt.s32 q0, q1
    vqadd.s16   q0, q0, r0
    vqmovnb.s16 q0, q0
    vstrb.16    q0, [r5], #8
    subs        r9, r9, #1
    bgt.w       1b
    bmi         5f
    ldr         r0, [sp, #BACK]
    cbz         r0, 5f
    sub         r5, r5, r0
    b.w         1b                  /* the last block; it leaves r9 negative */
5:
    ldr         r0, [sp, #ROW]
    ldrd        r4, r6, [sp, #ROWS]
    add         r0, r0, r6
    str         r0, [sp, #ROW]
    subs        r4, r4, #1
    str         r4, [sp, #ROWS]
    beq         8f
6:  /* a row: its last vectors, the very last at r3 */
    ldr         r0, [sp, #ROW]
    ldr         r6, [sp, #DEPTH]
    ldrd        r1, r9, [sp, #PACKED]
    sub         r6, r6, #1
    bic         r4, r6, #15         /* bytes before the last vector */
    sub         r6, r6, r4
    add         r6, r6, #1
    add         r3, r0, r4
    vctp.8      r6
    vpst
    vldrbt.u8   q7, [r3]
    hold        q6, 1
    hold        q5, 2
    hold        q4, 3
0:
    b.w         1b
8:
    add         sp, sp, #FRAME
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    fully_connected fully_connected_uniform_s8_mve_short, short
    fully_connected fully_connected_uniform_s8_mve_far, far
