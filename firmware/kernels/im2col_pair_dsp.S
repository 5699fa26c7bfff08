/* im2col_pair_dsp.h */
#include "im2col_dsp_asm.h"

    hil_function im2col_pair_dsp
    push    {r3-r11, lr}            /* the runs at [sp] */
    ldm     r3, {r3, r8, r9, r10, r11}
    cmp     r9, #0
    bne     .Ltails
    /* r3 rows, r8 words, r10, r11 gaps */
.Lrow:
    mov     r12, r8
    .balign 4
1:  ldr     r4, [r1], #4
    ldr     r5, [r2], #4
    hil_widen_pair
    subs.w  r12, r12, #1
    bne     1b
    subs    r3, r3, #1
    add     r1, r1, r10
    add     r2, r2, r11
    bne     .Lrow
    pop     {r3-r11, pc}

    /* r3 rows, r8 words, r9 tail, r10, r11 tails so far, lr bytes that they lack */
.Ltails:
    mov     lr, #4
2:  movs    r12, r8
    beq     4f
3:  ldr     r4, [r1], #4
    ldr     r5, [r2], #4
    hil_widen_pair
    subs    r12, r12, #1
    bne     3b
4:  mov     r12, r9
5:  ldrb    r4, [r1], #1
    ldrb    r5, [r2], #1
    orr     r10, r4, r10, lsl #8
    orr     r11, r5, r11, lsl #8
    subs    lr, lr, #1
    bne     6f
    mov     r4, r10
    mov     r5, r11
    hil_widen_pair
    mov     lr, #4
6:  subs    r12, r12, #1
    bne     5b
    ldr     r12, [sp]
    ldrd    r4, r5, [r12, #12]
    subs    r3, r3, #1
    add     r1, r1, r4
    add     r2, r2, r5
    bne     2b
    cmp     lr, #4
    beq     7f
    mov     r4, r10
    mov     r5, r11
    hil_widen_pair
7:  pop     {r3-r11, pc}
    hil_end im2col_pair_dsp
