/* gemm_4x1_plain_dsp.h */
#include "gemm_4x1_dsp_asm.h"
#include "gemm_plain_dsp_asm.h"

    hil_function gemm_4x1_plain_dsp
    hil_4x1_enter 1
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    hil_4x1_taps
    lsl.w   r2, r2, #1
    lsl.w   r3, r3, #1
    lsl.w   r4, r4, #1
    lsl.w   r5, r5, #1
    hil_4x1_requant r2, r3, r4, r5
    hil_4x1_store r2, .Lblock
    hil_end gemm_4x1_plain_dsp
