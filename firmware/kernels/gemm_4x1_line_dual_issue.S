/* gemm_4x1_line_dual_issue.h */
#include "gemm_4x1_dsp_asm.h"
#include "gemm_carry_dual_issue_asm.h"

    hil_function gemm_4x1_line_dual_issue
    hil_4x1_enter 4
    .balign 4
.Lblock:
    ldr     r2, [r0]
    ldr     r4, [r0, #4]
    mov.w   r3, #0
    mov.w   r5, #0
    hil_4x1_taps
    ldr     r8, [r0, #16]
    sub.w   r2, r2, r3
    ldr     r10, [r0, #24]
    sub.w   r4, r4, r5
    ldr     r11, [r0, #28]
    smmul   r2, r2, r7
    add.w   r3, r10, r3, lsl #HIL_LINEAR_SCALE_BITS
    ldr     r9, [r0, #20]
    add.w   r5, r11, r5, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r3, r3, r6
    ldr     r10, [sp, #OUT]
    smmul   r5, r5, r8
    ldr     r11, [sp, #LAST]
    ssat    r2, #8, r2, asr #HIL_LINEAR_FRACTION_BITS
    add.w   r0, r0, #32
    smmul   r4, r4, r9
    subs.w  r11, r11, r10
    ssat    r3, #8, r3, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    bfi     r3, r2, #8, #8
    ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    bfi     r3, r5, #16, #8
    bfi     r3, r4, #24, #8
    hil_4x1_store r3, .Lblock, ready=1
    hil_end gemm_4x1_line_dual_issue
