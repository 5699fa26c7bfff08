/* gemm_4x2_plain_dsp.h */
#include "gemm_4x2_dsp_asm.h"
#include "gemm_plain_dsp_asm.h"

    hil_function gemm_4x2_plain_dsp
    hil_4x2_enter
    .balign 4
.Lblock:
    hil_4x2_sums
    lsl.w   r2, r2, #1
    lsl.w   r3, r3, #1
    lsl.w   r4, r4, #1
    lsl.w   r5, r5, #1
    lsl.w   r6, r6, #1
    lsl.w   r7, r7, #1
    lsl.w   r8, r8, #1
    lsl.w   r9, r9, #1
    hil_4x2_requant r2, r3, r4, r5, r6, r7, r8, r9
    hil_4x2_store r2, r6, .Lblock
    hil_end gemm_4x2_plain_dsp
