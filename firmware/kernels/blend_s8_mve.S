/* See blend_s8_mve.h. One less in a negative sum makes halves go away from zero, and changes nothing else. */
#include "kernel_asm.h"

/* r0 rows and weights, r1 output, r2 count */
hil_function blend_s8_mve
    push        {r4-r11, lr}
    add         r3, r0, #16
    ldm         r0, {r4-r7}
    ldm         r3, {r8-r11}
    wlstp.32    lr, r2, 2f
1:
    vldrb.s32   q0, [r4], #4
    vldrb.s32   q1, [r5], #4
    vmul.i32    q0, q0, r8
    vldrb.s32   q2, [r6], #4
    vmla.s32    q0, q1, r9
    vldrb.s32   q3, [r7], #4
    vmla.s32    q0, q2, r10
    vmla.s32    q0, q3, r11
    vshr.s32    q1, q0, #31
    vadd.i32    q0, q0, q1
    vrshr.s32   q0, q0, #20
    vstrb.32    q0, [r1], #4
    letp        lr, 1b
2:
    pop         {r4-r11, pc}
hil_end blend_s8_mve
