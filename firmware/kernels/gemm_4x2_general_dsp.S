/* gemm_4x2_general_dsp.h */
#include "gemm_4x2_dsp_asm.h"
#include "gemm_general_dsp_asm.h"
#include "gemm_plain_dsp_asm.h"

    hil_function gemm_4x2_general_dsp
    hil_4x2_enter
    .balign 4
.Lblock:
    hil_4x2_sums
    ldr     r11, [sp, #OFFSET]
    .macro  hil_general_both first, second
    ldrd    r12, r10, [r0], #8
    hil_general_scale \first
    hil_general_scale \second
    .endm
    hil_general_both r2, r6
    hil_general_both r3, r7
    hil_general_both r4, r8
    hil_general_both r5, r9
    hil_4x2_packed r2, r3, r4, r5, r6, r7, r8, r9
    hil_4x2_store r2, r6, .Lblock
    hil_end gemm_4x2_general_dsp
