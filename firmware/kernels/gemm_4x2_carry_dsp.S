/* gemm_4x2_carry_dsp.h */
#include "gemm_4x2_dsp_asm.h"
#include "gemm_carry_dsp_asm.h"

    hil_function gemm_4x2_carry_dsp
    hil_4x2_enter
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    hil_4x2_taps bare=0
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
    hil_4x2_requant r3, r2, r5, r4, r7, r6, r9, r8
    hil_4x2_store r3, r7, .Lblock
    hil_end gemm_4x2_carry_dsp
