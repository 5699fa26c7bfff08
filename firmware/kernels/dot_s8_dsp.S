/* See dot_s8_dsp.h. */
#include "kernel_asm.h"

    .macro taps_4 a, b
    sxtb16      r12, \a
    sxtb16      lr, \b
    smlad       r3, r12, lr, r3
    sxtb16      \a, \a, ror #8
    sxtb16      \b, \b, ror #8
    smlad       r3, \a, \b, r3
    .endm

/* r0 a, r1 b, r2 steps */
hil_function dot_s8_dsp
    push        {r4-r11, lr}
    movs        r3, #0
1:
    ldm         r0!, {r4-r7}
    ldm         r1!, {r8-r11}
    taps_4      r4, r8
    taps_4      r5, r9
    taps_4      r6, r10
    taps_4      r7, r11
    subs        r2, r2, #1
    bne         1b
    mov         r0, r3
    pop         {r4-r11, pc}
hil_end dot_s8_dsp

    .macro taps_of_two a, b, c
    sxtb16      r12, \a
    sxtb16      \a, \a, ror #8
    sxtb16      lr, \b
    sxtb16      \b, \b, ror #8
    smlad       r10, r12, lr, r10
    sxtb16      lr, \c
    smlad       r10, \a, \b, r10
    sxtb16      \c, \c, ror #8
    smlad       r11, r12, lr, r11
    smlad       r11, \a, \c, r11
    .endm

/* r0 a, r1 b0, r2 b1, r3 steps, sums on the stack */
hil_function dot_pair_s8_dsp
    push        {r4-r11, lr}
    mov         r10, #0
    mov         r11, #0
1:
    .rept       2
    ldm         r0!, {r4, r5}
    ldm         r1!, {r6, r7}
    ldm         r2!, {r8, r9}
    taps_of_two r4, r6, r8
    taps_of_two r5, r7, r9
    .endr
    subs        r3, r3, #1
    bne         1b
    ldr         r0, [sp, #36]
    strd        r10, r11, [r0]
    pop         {r4-r11, pc}
hil_end dot_pair_s8_dsp
