/* im2col_overlap_dsp.h */
#include "kernel_asm.h"

    /* 16 bytes of r1 -> columns of the pixels that have them: the first at r0, the second at r2 */
    .macro hil_widen first, second
    ldm.w   r1!, {r4-r7}
    .irp    word, r4, r5, r6, r7
    sxtb16  r8, \word
    sxtb16  r9, \word, ror #8
    .if \first
    strd    r8, r9, [r0], #16
    .endif
    .if \second
    strd    r8, r9, [r2], #16
    .endif
    .endr
    .endm

    hil_function im2col_overlap_dsp
    push    {r4-r11, lr}
    ldm     r3, {r3, r8, r9, r10, r11, r12}
    sub     r10, r10, r12               /* gap after both runs */
    lsr     r11, r12, #4                /* of 16 bytes: what either has for itself */
    rsb     lr, r11, r8, lsr #2         /* and what they share */
    add     r2, r0, #8
.Lrow:
    mov     r12, r11
    .balign 4
1:  hil_widen 1, 0
    subs.w  r12, r12, #1
    bne.w   1b
    mov.w   r12, lr
2:  hil_widen 1, 1
    subs.w  r12, r12, #1
    bne.w   2b
    mov.w   r12, r11
3:  hil_widen 0, 1
    subs.w  r12, r12, #1
    bne.w   3b
    subs    r3, r3, #1
    add     r1, r1, r10
    bne     .Lrow
    pop     {r4-r11, pc}
    hil_end im2col_overlap_dsp
