/* gemm_4x2_line_dual_issue.h */
#include "gemm_4x2_dual_issue_asm.h"

    hil_function gemm_4x2_line_dual_issue
    hil_4x2_enter
    .balign 4
.Lblock:
    ldr     r2, [r0]
    ldr     r10, [r0, #8]
    ldr     r11, [sp, #REST]
    ldr     r6, [r0, #4]!
    hil_4x2_taps bare=1

    /* r10 is the first multiplier; no store goes beside a multiplication, so that these come first */
    ldr     r11, [r0, #4]
    sub.w   r2, r2, r4
    ldr     r12, [r0, #12]
    sub.w   r3, r3, r5
    ldr     r1, [r0, #16]
    sub.w   r6, r6, r8
    smmul   r2, r2, r11
    sub.w   r7, r7, r9
    smmul   r3, r3, r11
    ldr     r11, [r0, #20]
    smmul   r6, r6, r12
    add.w   r4, r1, r4, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r7, r7, r12
    ldr     lr, [r0, #8]
    add.w   r5, r1, r5, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r4, r4, r10
    add.w   r8, r11, r8, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r5, r5, r10
    add.w   r9, r11, r9, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r8, r8, lr
    ldr     r12, [sp, #LAST]
    smmul   r9, r9, lr
    ldr     r11, [sp, #OUT]
    ssat    r2, #8, r2, asr #HIL_LINEAR_FRACTION_BITS
    ldr     lr, [sp, #APART]
    ssat    r3, #8, r3, asr #HIL_LINEAR_FRACTION_BITS
    subs.w  r12, r12, r11
    ssat    r6, #8, r6, asr #HIL_LINEAR_FRACTION_BITS
    add.w   lr, lr, r11
    ssat    r7, #8, r7, asr #HIL_LINEAR_FRACTION_BITS
    blt     7f
    ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    strb    r2, [r11, #1]
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    strb    r3, [lr, #1]
    ssat    r8, #8, r8, asr #HIL_LINEAR_FRACTION_BITS
    strb    r6, [r11, #3]
    ssat    r9, #8, r9, asr #HIL_LINEAR_FRACTION_BITS
    strb    r7, [lr, #3]
    ldr     r1, [sp, #X_START]
    strb    r4, [r11], #4
    strb    r5, [lr]
    add.w   r0, r0, #24
    strb    r8, [r11, #-2]
    ldr     r12, [r1]
    strb    r9, [lr, #2]
    ldr     lr, [r1, #8]
    str     r11, [sp, #OUT]
    bne.w   .Lblock
8:  add     sp, sp, #FRAME
    pop     {r4-r11, pc}
7:  ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    strb    r4, [r11]
    strb    r5, [lr]
    adds    r12, r12, #2
    blt     8b
    strb    r2, [r11, #1]
    strb    r3, [lr, #1]
    beq     8b
    ssat    r8, #8, r8, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r9, #8, r9, asr #HIL_LINEAR_FRACTION_BITS
    strb    r8, [r11, #2]
    strb    r9, [lr, #2]
    b       8b
    hil_end gemm_4x2_line_dual_issue
