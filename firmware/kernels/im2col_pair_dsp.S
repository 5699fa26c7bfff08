/* im2col_pair_dsp.h */
#include "kernel_asm.h"

    .macro hil_widen w0, w1
    sxtb16  r4, \w0
    sxtb16  r5, \w0, ror #8
    sxtb16  r6, \w1
    sxtb16  r7, \w1, ror #8
    stm     r0!, {r4-r7}
    .endm

    hil_function im2col_pair_dsp
    push    {r3-r11, lr}            /* the runs at [sp] */
    ldr     r3, [r3]                /* r3 rows; r10, r11 tails so far; lr bytes that they lack */
    mov     lr, #4
    .balign 4
.Lrow:
    ldr     r9, [sp]
    ldrd    r12, r9, [r9, #4]
    lsrs.w  r12, r12, #1
    bcc.w   1f
    ldr     r4, [r1], #4
    ldr     r5, [r2], #4
    sxtb16  r6, r5
    sxtb16  r7, r5, ror #8
    sxtb16  r5, r4, ror #8
    sxtb16  r4, r4
    stm     r0!, {r4-r7}
1:  cmp.w   r12, #0
    beq.w   .Ltail
.Lwords:
    ldr     r4, [r1], #4
    ldr     r5, [r2], #4
    subs.w  r12, r12, #1
    sxtb16  r6, r5
    sxtb16  r7, r5, ror #8
    sxtb16  r5, r4, ror #8
    sxtb16  r4, r4
    stm     r0!, {r4-r7}
    ldr     r4, [r1], #4
    ldr     r5, [r2], #4
    sxtb16  r6, r5
    sxtb16  r7, r5, ror #8
    sxtb16  r5, r4, ror #8
    sxtb16  r4, r4
    stm     r0!, {r4-r7}
    bne.w   .Lwords
.Ltail:
    cmp.w   r9, #0
    beq.w   .Lnext
.Lbytes:
    ldrb    r4, [r1], #1
    ldrb    r5, [r2], #1
    subs.w  lr, lr, #1
    orr.w   r10, r4, r10, lsl #8
    orr.w   r11, r5, r11, lsl #8
    bne.w   1f
    hil_widen r10, r11
    mov.w   lr, #4
1:  subs.w  r9, r9, #1
    bne.w   .Lbytes
.Lnext:
    ldr     r9, [sp]
    subs.w  r3, r3, #1
    ldrd    r4, r5, [r9, #12]
    add.w   r1, r1, r4
    add.w   r2, r2, r5
    bne.w   .Lrow
    cmp     lr, #4
    beq     1f
    hil_widen r10, r11
1:  pop     {r3-r11, pc}
    hil_end im2col_pair_dsp
