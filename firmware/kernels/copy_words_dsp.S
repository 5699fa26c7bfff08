/* copy_words_dsp.h */
#include "kernel_asm.h"

    hil_function copy_words_dsp
    push    {r4-r10, lr}
    subs    r2, r2, #8
    blt     2f
1:  ldm     r1!, {r3-r10}
    subs    r2, r2, #8
    stm     r0!, {r3-r10}
    bge     1b
2:  adds    r2, r2, #8
    beq     4f
3:  ldr     r3, [r1], #4
    subs    r2, r2, #1
    str     r3, [r0], #4
    bne     3b
4:  pop     {r4-r10, pc}
    hil_end copy_words_dsp
