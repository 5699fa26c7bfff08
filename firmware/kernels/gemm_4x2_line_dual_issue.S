/* gemm_4x2_line_dual_issue.h */
#include "gemm_4x2_dual_issue_asm.h"

    hil_function gemm_4x2_line_dual_issue
    hil_4x2_enter
    ldr     r12, [r1]
    mov     r4, #0
    ldr     lr, [r1, #8]
    mov     r5, #0
    mov     r8, #0
    mov     r9, #0
    .balign 4
.Lblock:
    ldr     r2, [r0]
    ldr     r6, [r0, #4]
    ldr     r11, [sp, #REST]
    ldr     r10, [r0, #8]!
    mov.w   r3, r2
    mov.w   r7, r6
    hil_4x2_taps

    /* r10 is the first multiplier */
    ldr     r11, [r0, #4]
    sub.w   r2, r2, r4
    ldr     r12, [r0, #12]
    sub.w   r3, r3, r5
    ldr     r1, [r0, #16]
    sub.w   r6, r6, r8
    ldr     lr, [r0, #8]
    smmul   r2, r2, r11
    sub.w   r7, r7, r9
    smmul   r3, r3, r11
    ldr     r11, [r0, #20]
    smmul   r6, r6, r12
    add.w   r4, r1, r4, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r7, r7, r12
    add.w   r5, r1, r5, lsl #HIL_LINEAR_SCALE_BITS
    ldr     r12, [sp, #LEFT]
    ssat    r2, #8, r2, asr #HIL_LINEAR_FRACTION_BITS
    smmul   r4, r4, r10
    add.w   r8, r11, r8, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r5, r5, r10
    ssat    r3, #8, r3, asr #HIL_LINEAR_FRACTION_BITS
    subs.w  r12, r12, #4
    add.w   r9, r11, r9, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r8, r8, lr
    ssat    r6, #8, r6, asr #HIL_LINEAR_FRACTION_BITS
    smmul   r9, r9, lr
    ssat    r7, #8, r7, asr #HIL_LINEAR_FRACTION_BITS
    ldr     r11, [sp, #OUT0]
    ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    ldr     lr, [sp, #OUT1]
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    blt     7f
    ssat    r8, #8, r8, asr #HIL_LINEAR_FRACTION_BITS
    strb    r2, [r11, #1]
    ssat    r9, #8, r9, asr #HIL_LINEAR_FRACTION_BITS
    strb    r3, [lr, #1]
    str     r12, [sp, #LEFT]
    add.w   r0, r0, #24
    strb    r6, [r11, #3]
    ldr     r1, [sp, #X_START]
    strb    r7, [lr, #3]
    strb    r8, [r11, #2]
    mov.w   r8, #0
    strb    r9, [lr, #2]
    mov.w   r9, #0
    strb    r4, [r11], #4
    mov.w   r4, #0
    strb    r5, [lr], #4
    mov.w   r5, #0
    str     r11, [sp, #OUT0]
    ldr     r12, [r1]
    str     lr, [sp, #OUT1]
    ldr     lr, [r1, #8]
    bne.w   .Lblock
8:  add     sp, sp, #FRAME
    pop     {r4-r11, pc}
7:  strb    r4, [r11]
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
