/* gemm_4x2_carry_dsp.h, in the order that suits the Cortex-M4: four loads in one chain, no LDRD, opcodes of 32 bits. */
#include "gemm_4x2_dsp_asm.h"

    /* r2 P of channels 0 and 1, r3 Q, r4 P of 2 and 3, r5 Q; r6..r9 the same of the second pixel */
    .macro hil_step w, x
    ldr     r10, [r0, #\w]
    ldr     r11, [r0, #\w + 4]
    ldr     r12, [r1, #\x]
    ldr     lr, [r1, #\x + 4]
    hil_macs
    smlad   r3, r10, r12, r3
    smlad   r5, r11, r12, r5
    .endm

    .macro hil_macs
    smlad   r2, r10, r12, r2
    smlad   r6, r10, lr, r6
    sxtb16  r10, r10
    smlad   r4, r11, r12, r4
    smlad   r8, r11, lr, r8
    sxtb16  r11, r11
    smlad   r7, r10, lr, r7
    smlad   r9, r11, lr, r9
    .endm

    .macro hil_double
    sub.w   r2, r2, r3
    sub.w   r4, r4, r5
    sub.w   r6, r6, r7
    sub.w   r8, r8, r9
    asr.w   r2, r2, #7
    asr.w   r4, r4, #7
    asr.w   r6, r6, #7
    asr.w   r8, r8, #7
    lsl.w   r3, r3, #1
    lsl.w   r5, r5, #1
    lsl.w   r7, r7, #1
    lsl.w   r9, r9, #1
    .endm

    hil_function gemm_4x2_carry_dsp
    hil_4x2_enter
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    ldrd    r1, r10, [sp, #X_START]
    mov.w   r6, r2
    mov.w   r7, r3
    mov.w   r8, r4
    mov.w   r9, r5
    add.w   r0, r0, r10
    lsls.w  r10, r10, #27
    bpl.w   .Lmiddle
.Ltaps:
    hil_step -28, -28
    hil_step -20, -20
.Lmiddle:
    hil_step -12, -12
    ldr     r10, [r0, #-4]
    ldr     r11, [r0], #32
    ldr     r12, [r1, #-4]
    ldr     lr, [r1], #32
    hil_macs
    ldr     lr, [sp, #X_END]
    smlad   r3, r10, r12, r3
    smlad   r5, r11, r12, r5
    cmp     r1, lr
    bne     .Ltaps

    ldr     r1, [sp, #GENERAL]
    hil_double
    cbz     r1, 1f
    b.w     .Lgeneral
1:
    hil_4x2_requant r3, r2, r5, r4, r7, r6, r9, r8, 0
    b.w     .Lstore
.Lgeneral:
    hil_4x2_requant r3, r2, r5, r4, r7, r6, r9, r8, 1
    ldrd    r10, r11, [sp, #LOW]
    hil_clamp4 r3, r10, r11, lr
    hil_clamp4 r7, r10, r11, lr
.Lstore:
    hil_4x2_store r3, r7, .Lblock
    hil_end gemm_4x2_carry_dsp
