/* gemm_4x1_carry_dsp.h */
#include "gemm_4x1_dsp_asm.h"
#include "gemm_carry_dsp_asm.h"

    hil_function gemm_4x1_carry_dsp
    hil_4x1_enter 8
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    hil_4x1_taps
    sub.w   r2, r2, r3
    sub.w   r4, r4, r5
    asr.w   r2, r2, #7
    asr.w   r4, r4, #7
    lsl.w   r3, r3, #1
    lsl.w   r5, r5, #1
    hil_4x1_requant r3, r2, r5, r4
    hil_4x1_store r3, .Lblock
    hil_end gemm_4x1_carry_dsp
