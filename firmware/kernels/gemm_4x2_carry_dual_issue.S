/* gemm_4x2_carry_dual_issue.h */
#include "gemm_4x2_dual_issue_asm.h"

    /* sums (doubled) of a channel times r10, plus the addend for its shift */
    .macro hil_scale acc0, acc1, shift
    ldr     r1, [sp, #OFFSET]
    lsl.w   r1, r1, \shift
    add.w   lr, r1, \acc0, asr #31
    add.w   r1, r1, \acc1, asr #31
    smmlar  \acc0, \acc0, r10, lr
    smmlar  \acc1, \acc1, r10, r1
    .endm

    /* the same, and shifts and saturates the channel before */
    .macro hil_scale_next acc0, acc1, shift, last0, last1, last_shift
    ldr     r1, [sp, #OFFSET]
    asr.w   \last0, \last0, \last_shift
    lsl.w   r1, r1, \shift
    asr.w   \last1, \last1, \last_shift
    add.w   lr, r1, \acc0, asr #31
    lsr.w   \last_shift, \shift, #8
    add.w   r1, r1, \acc1, asr #31
    smmlar  \acc0, \acc0, r10, lr
    ssat    \last0, #8, \last0, asr #1
    smmlar  \acc1, \acc1, r10, r1
    ssat    \last1, #8, \last1, asr #1
    .endm

    hil_function gemm_4x2_carry_dual_issue
    hil_4x2_enter
    .balign 4
.Lblock:
    ldr     r2, [r0]
    ldr     r10, [r0, #16]
    ldr     r6, [r0, #8]
    ldr     r11, [sp, #REST]
    ldr     r4, [r0, #4]
    ldr     r8, [r0, #12]!
    hil_4x2_taps bare=0

    /* r10 is the first multiplier */
    ldr     r11, [r0, #16]
    sub.w   r2, r2, r4
    sub.w   r3, r3, r5
    lsl.w   r4, r4, #1
    sub.w   r6, r6, r8
    lsl.w   r5, r5, #1
    sub.w   r7, r7, r9
    asr.w   r2, r2, #7
    asr.w   r3, r3, #7
    lsr.w   r12, r11, #8
    hil_scale r4, r5, r11
    asr.w   r6, r6, #7
    asr.w   r7, r7, #7
    ldr     r10, [r0, #4]
    lsl.w   r8, r8, #1
    lsl.w   r9, r9, #1
    hil_scale_next r2, r3, r12, r4, r5, r11
    ldr     r10, [r0, #8]
    hil_scale_next r8, r9, r11, r2, r3, r12
    ldr     r10, [r0, #12]
    hil_scale_next r6, r7, r12, r8, r9, r11
    add.w   r0, r0, #20
    asr.w   r6, r6, r12
    asr.w   r7, r7, r12
    bfi     r4, r2, #8, #8
    ldr     r1, [sp, #CLAMPED]
    bfi     r5, r3, #8, #8
    ldr     r12, [sp, #LAST]
    ssat    r6, #8, r6, asr #1
    ldr     r11, [sp, #OUT]
    ssat    r7, #8, r7, asr #1
    ldr     lr, [sp, #APART]
    bfi     r4, r8, #16, #8
    subs.w  r12, r12, r11
    bfi     r5, r9, #16, #8
    bfi     r4, r6, #24, #8
    bfi     r5, r7, #24, #8
    cbnz    r1, .Lclamp
.Lstore:
    blt     7f
    ldr     r1, [sp, #X_START]
    str     r5, [r11, lr]
    str     r4, [r11], #4
    ldr     r12, [r1]
    ldr     lr, [r1, #8]
    str     r11, [sp, #OUT]
    bne.w   .Lblock
8:  add     sp, sp, #FRAME
    pop     {r4-r11, pc}
.Lclamp:
    ldrd    r6, r7, [sp, #LOW]
    hil_clamp4 r4, r6, r7, r8
    hil_clamp4 r5, r6, r7, r8
    b       .Lstore
7:  add     lr, lr, r11
    adds    r12, r12, #2
    blt     9f
    strh    r4, [r11], #2
    strh    r5, [lr], #2
    lsr     r4, r4, #16
    lsr     r5, r5, #16
    beq     8b
9:  strb    r4, [r11]
    strb    r5, [lr]
    b       8b
    hil_end gemm_4x2_carry_dual_issue
