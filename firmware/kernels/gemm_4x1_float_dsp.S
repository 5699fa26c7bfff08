/* gemm_4x1_float_dsp.h */
#include "gemm_4x1_dsp_asm.h"
#include "gemm_float_dsp_asm.h"
#include "gemm_plain_dsp_asm.h"

    hil_function gemm_4x1_float_dsp
    hil_4x1_enter 1
    .balign 4
.Lblock:
    ldm.w   r0!, {r2-r5}
    hil_4x1_taps
    vldmia  r0!, {s8-s11}
    vmov    s0, s1, r2, r3
    vmov    s2, s3, r4, r5
    hil_float_scale4 s0, s1, s2, s3
    ldr     r11, [sp, #OFFSET]
    vmov    r2, r3, s0, s1
    vmov    r4, r5, s2, s3
    .irp    sum, r2, r3, r4, r5
    hil_float_narrow \sum, r11
    .endr
    hil_pack4 r2, r3, r4, r5
    hil_4x1_clamped r2
    hil_4x1_store r2, .Lblock
    hil_end gemm_4x1_float_dsp
