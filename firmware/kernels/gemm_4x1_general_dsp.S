/* gemm_4x1_general_dsp.h */
#include "gemm_4x1_dsp_asm.h"
#include "gemm_general_dsp_asm.h"
#include "gemm_plain_dsp_asm.h"

    hil_function gemm_4x1_general_dsp
    hil_4x1_enter 1
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    hil_4x1_taps
    ldr     r11, [sp, #OFFSET]
    .irp    sum, r2, r3, r4, r5
    ldrd    r12, r10, [r0], #8
    hil_general_scale \sum
    .endr
    hil_pack4 r2, r3, r4, r5
    hil_4x1_clamped r2
    hil_4x1_store r2, .Lblock
    hil_end gemm_4x1_general_dsp
