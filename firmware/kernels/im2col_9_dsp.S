/* im2col_9_dsp.h */
#include "im2col_dsp_asm.h"

    hil_function im2col_9_dsp
    push    {r4-r11, lr}
    ldm     r3, {r3, r4, r5, r8, r9}
    add     r8, r8, #9
    add     r9, r9, #9
    .balign 4
1:  ldr     r4, [r1]
    ldr     r5, [r2]
    hil_widen_pair
    ldr     r4, [r1, #4]
    ldr     r5, [r2, #4]
    hil_widen_pair
    ldrb.w  r4, [r1, #8]
    ldrb.w  r5, [r2, #8]
    subs    r3, r3, #1
    add     r1, r1, r8
    orr     r10, r4, r10, lsl #8
    add     r2, r2, r9
    orr     r11, r5, r11, lsl #8
    bne     1b
    mov     r4, r10
    mov     r5, r11
    hil_widen_pair
    pop     {r4-r11, pc}
    hil_end im2col_9_dsp
