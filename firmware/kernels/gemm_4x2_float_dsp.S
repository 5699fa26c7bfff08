/* gemm_4x2_float_dsp.h */
#include "gemm_4x2_dsp_asm.h"
#include "gemm_float_dsp_asm.h"
#include "gemm_plain_dsp_asm.h"

    hil_function gemm_4x2_float_dsp
    hil_4x2_enter
    .balign 4
.Lblock:
    hil_4x2_sums
    vldmia  r0!, {s8-s11}
    vmov    s0, s1, r2, r3
    vmov    s2, s3, r4, r5
    vmov    s4, s5, r6, r7
    vmov    s6, s7, r8, r9
    hil_float_scale4 s0, s1, s2, s3
    hil_float_scale4 s4, s5, s6, s7
    ldr     r11, [sp, #OFFSET]
    vmov    r2, r3, s0, s1
    vmov    r4, r5, s2, s3
    vmov    r6, r7, s4, s5
    vmov    r8, r9, s6, s7
    .irp    sum, r2, r3, r4, r5, r6, r7, r8, r9
    hil_float_narrow \sum, r11
    .endr
    hil_4x2_packed r2, r3, r4, r5, r6, r7, r8, r9
    hil_4x2_store r2, r6, .Lblock
    hil_end gemm_4x2_float_dsp
