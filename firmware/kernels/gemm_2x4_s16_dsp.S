/* gemm_2x4_s16_dsp.h: sums in r4-r7 and r8-r11; of 14 registers none is left for the end of the columns */
#include "kernel_asm.h"

    .macro hil_s16_two_taps
    ldr     r0, [r2], #4
    ldrd    r12, lr, [r1], #8
    sxtb16  r3, r0
    sxtb16  r0, r0, ror #8
    smlad   r4, r3, r12, r4
    smlad   r5, r3, lr, r5
    smlad   r8, r0, r12, r8
    smlad   r9, r0, lr, r9
    ldrd    r12, lr, [r1], #8
    smlad   r6, r3, r12, r6
    smlad   r7, r3, lr, r7
    smlad   r10, r0, r12, r10
    smlad   r11, r0, lr, r11
    .endm

    hil_function gemm_2x4_s16_dsp
    push    {r0, r3-r11, lr}
    ldr     r4, [r0]
    ldr     r8, [r0, #16]
    mov     r5, r4
    mov     r6, r4
    mov     r7, r4
    mov     r9, r8
    mov     r10, r8
    mov     r11, r8
    .balign 4
.Ltaps:
    hil_s16_two_taps
    hil_s16_two_taps
    ldr     r0, [sp, #4]
    cmp     r1, r0
    bne     .Ltaps
    ldr     r0, [sp], #8
    stm     r0, {r4-r11}
    pop     {r4-r11, pc}
    hil_end gemm_2x4_s16_dsp
