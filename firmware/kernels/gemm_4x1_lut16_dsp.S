/* gemm_4x1_lut16_dsp.h */
#include "gemm_4x1_dsp_asm.h"

    /* four channels by two activations; r12 is the table */
    .macro hil_lut16_macs word, x
    uxtb.w  r10, \word
    uxtb    r11, \word, ror #8
    uxtb    lr, \word, ror #16
    lsr.w   \word, \word, #24
    ldr     r10, [r12, r10, lsl #2]
    ldr     r11, [r12, r11, lsl #2]
    ldr     lr, [r12, lr, lsl #2]
    ldr     \word, [r12, \word, lsl #2]
    smlad   r2, r10, \x, r2
    smlad   r3, r11, \x, r3
    smlad   r4, lr, \x, r4
    smlad   r5, \word, \x, r5
    .endm

    hil_function gemm_4x1_lut16_dsp
    hil_4x1_enter 1
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    ldr     r1, [sp, #X_START]
    ldr     r9, [sp, #X_END]
    sub     r12, r1, #1024
    .balign 4
3:  ldrd    r6, r7, [r0], #8
    ldr     r8, [r1], #4
    hil_lut16_macs r6, r8
    ldr     r8, [r1], #4
    hil_lut16_macs r7, r8
    cmp     r1, r9
    bne.w   3b
    lsl.w   r2, r2, #1
    lsl.w   r3, r3, #1
    lsl.w   r4, r4, #1
    lsl.w   r5, r5, #1
    hil_4x1_requant r2, r3, r4, r5
    hil_4x1_store r2, .Lblock
    hil_end gemm_4x1_lut16_dsp
