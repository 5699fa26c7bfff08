/* gemm_4x1_carry_dsp.h: 14 instructions for 16 products. */
#include "gemm_4x1_dsp_asm.h"

    /* four taps xa, xb against r6..r9; r2 P of channels 0 and 1, r3 Q, r4 P of 2 and 3, r5 Q */
    .macro hil_group xa, xb
    ldm     r0!, {r6-r9}
    smlad   r2, r6, \xa, r2
    sxtb16  r6, r6
    smlad   r4, r7, \xa, r4
    sxtb16  r7, r7
    smlad   r3, r6, \xa, r3
    smlad   r5, r7, \xa, r5
    smlad   r2, r8, \xb, r2
    sxtb16  r8, r8
    smlad   r4, r9, \xb, r4
    sxtb16  r9, r9
    smlad   r3, r8, \xb, r3
    smlad   r5, r9, \xb, r5
    .endm

    hil_function gemm_4x1_carry_dsp
    hil_4x1_enter
    .balign 4
.Lblock:
    ldm     r0!, {r2-r5}
    ldrd    r1, r12, [sp, #X_START]
    cmp.w   r12, #0
    beq.w   .Lmany
.Lsingle:
    ldrd    r10, r11, [r1], #8
    hil_group r10, r11
    subs.w  r12, r12, #1
    bne.w   .Lsingle
.Lmany:
    ldr     lr, [sp, #X_END]
    cmp.w   r1, lr
    beq.w   .Lsums
.Ltaps:
    ldm     r1!, {r10, r11, r12, lr}
    hil_group r10, r11
    hil_group r12, lr
    ldm     r1!, {r10, r11, r12, lr}
    hil_group r10, r11
    hil_group r12, lr
    ldr     lr, [sp, #X_END]
    cmp     r1, lr
    bne     .Ltaps
.Lsums:
    sub.w   r2, r2, r3
    sub.w   r4, r4, r5
    ldr     r1, [sp, #GENERAL]
    asr.w   r2, r2, #7
    asr.w   r4, r4, #7
    lsl.w   r3, r3, #1
    lsl.w   r5, r5, #1
    cbz     r1, 1f
    b.w     .Lgeneral
1:  hil_4x1_requant r3, r2, r5, r4, 0
    b.w     .Lstore
.Lgeneral:
    hil_4x1_requant r3, r2, r5, r4, 1
    ldrd    r10, r11, [sp, #LOW]
    hil_clamp4 r3, r10, r11, lr
.Lstore:
    hil_4x1_store r3, .Lblock
    hil_end gemm_4x1_carry_dsp
