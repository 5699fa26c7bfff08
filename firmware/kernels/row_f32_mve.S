/* See row_f32_mve.h. */
#include "f32_mve_asm.h"

/* r0 a, r1 b, r2 output, r3 elements after the blocks; r5, r6: ends of the activation; r7, r8: bytes to the next block; lr blocks */
    .macro row_f32_mve name, operation
hil_function \name
    push        {r4-r8, lr}
    vpush       {d8-d15}
    ldr         r4, [sp, #88]
    ldrd        r7, r8, [r4, #8]
    ldrd        r5, r6, [r4]
    hil_clear_status r4
    lsr         lr, r3, #4
    and         r3, r3, #15
    wls         lr, lr, 2f
1:
    vldrw.32    q0, [r0]
    vldrw.32    q4, [r1]
    \operation  q0, q0, q4
    vldrw.32    q1, [r0, #16]
    vldrw.32    q5, [r1, #16]
    \operation  q1, q1, q5
    vldrw.32    q2, [r0, #32]
    vldrw.32    q6, [r1, #32]
    \operation  q2, q2, q6
    vldrw.32    q3, [r0, #48]
    vldrw.32    q7, [r1, #48]
    \operation  q3, q3, q7
    add         r0, r0, r7
    hil_clamp_f32 q0
    hil_clamp_f32 q1
    add         r1, r1, r8
    hil_clamp_f32 q2
    hil_clamp_f32 q3
    vmrs        r4, fpscr
    tst         r4, #APART
    bne         4f
    vstrw.32    q0, [r2], #16
    vstrw.32    q1, [r2], #16
    vstrw.32    q2, [r2], #16
    vstrw.32    q3, [r2], #16
    le          lr, 1b
2:
    cmp         r3, #0
    beq         5f
    asr         r7, r7, #2
    asr         r8, r8, #2
3:
    vctp.32     r3
    vpstt
    vldrwt.32   q0, [r0]
    vldrwt.32   q4, [r1]
    \operation  q0, q0, q4
    add         r0, r0, r7
    hil_clamp_f32 q0
    add         r1, r1, r8
    vmrs        r4, fpscr
    tst         r4, #APART
    bne         5f
    vctp.32     r3
    vpst
    vstrwt.32   q0, [r2], #16
    subs        r3, r3, #4
    bgt         3b
    movs        r3, #0
    b           5f
4:
    add         r3, r3, lr, lsl #4
5:
    mov         r0, r3
    vpop        {d8-d15}
    pop         {r4-r8, pc}
hil_end \name
    .endm

    row_f32_mve row_f32_mve_add, vadd.f32
    row_f32_mve row_f32_mve_sub, vsub.f32
    row_f32_mve row_f32_mve_mul, vmul.f32
