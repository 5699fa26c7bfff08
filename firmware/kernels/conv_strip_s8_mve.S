/* See conv_strip_s8_mve.h. */
#include "kernel_asm.h"

/* all columns of `vectors` * 16 channels; r8 and r12 walk, r0 and r1 go on to the next channels */
    .macro weave vectors
    mov         r8, r0
    mov         r12, r1
    dls         lr, r2
9:
    vldrb.8     q0, [r12]
    .if \vectors > 1
    vldrb.8     q1, [r12, #16]
    .endif
    .if \vectors > 2
    vldrb.8     q2, [r12, #32]
    vldrb.8     q3, [r12, #48]
    .endif
    add         r12, r12, r5
    vstrb.8     q0, [r8]
    .if \vectors > 1
    vstrb.8     q1, [r8, #16]
    .endif
    .if \vectors > 2
    vstrb.8     q2, [r8, #32]
    vstrb.8     q3, [r8, #48]
    .endif
    add         r8, r8, r6
    le          lr, 9b
    add         r0, r0, #16 * \vectors
    cmp         r5, #0
    it          ne
    addne       r1, r1, #16 * \vectors
    .endm

/* r0 strip, r1 input, r2 columns, r3 shape */
hil_function conv_strip_s8_mve
    push        {r4-r8, lr}
    ldrd        r4, r5, [r3]        /* depth, input_step */
    ldrd        r6, r7, [r3, #8]    /* column, group */
    cmp         r7, #0
    bne.w       6f
    subs        r4, r4, #64
    blt         2f
1:
    weave       4
    subs        r4, r4, #64
    bge         1b
2:
    tst         r4, #32
    beq         3f
    weave       2
3:
    tst         r4, #16
    beq         4f
    weave       1
4:
    ands        r4, r4, #15
    beq         5f
    vctp.8      r4
    dls         lr, r2
9:
    vpstt
    vldrbt.u8   q0, [r1]
    vstrbt.8    q0, [r0]
    add         r1, r1, r5
    add         r0, r0, r6
    le          lr, 9b
5:
    pop         {r4-r8, pc}
6:  /* several columns at once; lanes beyond a group write what the next round writes again */
    vldrb.u8    q1, [r3, #16]
    mul         r2, r2, r4          /* bytes left */
    mul         r8, r7, r4          /* bytes of a group */
    mul         r6, r6, r7
    cmp         r5, #0
    it          ne
    movne       r5, r8
7:
    vctp.8      r2
    vpstt
    vldrbt.u8   q0, [r1]
    vstrbt.8    q0, [r0, q1]
    add         r1, r1, r5
    add         r0, r0, r6
    subs        r2, r2, r8
    bgt         7b
    pop         {r4-r8, pc}
hil_end conv_strip_s8_mve
