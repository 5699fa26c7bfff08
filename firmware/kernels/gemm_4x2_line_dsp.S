/* gemm_4x2_line_dsp.h */
#include "gemm_4x2_dsp_asm.h"
#include "gemm_carry_dsp_asm.h"

    hil_function gemm_4x2_line_dsp
    hil_4x2_enter
    .balign 4
.Lblock:
    ldrd    r2, r4, [r0], #8
    hil_4x2_taps bare=1
    ldrd    r1, r12, [r0, #8]
    sub.w   r2, r2, r3
    sub.w   r4, r4, r5
    sub.w   r6, r6, r7
    sub.w   r8, r8, r9
    smmul   r2, r2, r11
    smmul   r6, r6, r11
    smmul   r4, r4, r12
    smmul   r8, r8, r12
    ldrd    r11, r12, [r0, #16]
    add.w   r0, r0, #24
    add.w   r3, r11, r3, lsl #HIL_LINEAR_SCALE_BITS
    add.w   r7, r11, r7, lsl #HIL_LINEAR_SCALE_BITS
    add.w   r5, r12, r5, lsl #HIL_LINEAR_SCALE_BITS
    add.w   r9, r12, r9, lsl #HIL_LINEAR_SCALE_BITS
    smmul   r3, r3, r10
    smmul   r7, r7, r10
    smmul   r5, r5, r1
    smmul   r9, r9, r1
    ssat    r2, #8, r2, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r3, #8, r3, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r6, #8, r6, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r7, #8, r7, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r8, #8, r8, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r9, #8, r9, asr #HIL_LINEAR_FRACTION_BITS
    hil_pack4 r3, r2, r5, r4
    hil_pack4 r7, r6, r9, r8
    hil_4x2_store r3, r7, .Lblock
    hil_end gemm_4x2_line_dsp
