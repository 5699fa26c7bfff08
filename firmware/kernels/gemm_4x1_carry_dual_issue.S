/* gemm_4x1_carry_dual_issue.h */
#include "gemm_4x1_dsp_asm.h"
#include "gemm_carry_dual_issue_asm.h"

    hil_function gemm_4x1_carry_dual_issue
    hil_4x1_enter 4
    .balign 4
.Lblock:
    ldr     r2, [r0]
    ldr     r3, [r0, #4]
    ldr     r4, [r0, #8]
    ldr     r5, [r0, #12]
    add.w   r0, r0, #8
    hil_4x1_taps
    sub.w   r2, r2, r3
    add.w   r0, r0, #8
    sub.w   r4, r4, r5
    asr.w   r2, r2, #7
    lsl.w   r3, r3, #1
    asr.w   r4, r4, #7
    lsl.w   r5, r5, #1
    hil_4x1_requant r3, r2, r5, r4
    hil_4x1_store r3, .Lblock
    hil_end gemm_4x1_carry_dual_issue
