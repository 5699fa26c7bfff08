/* See lut_8_mve.h. */
#include "kernel_asm.h"

/* r0 input, r1 table, r2 output, r3 shape */
hil_function lut_8_mve
    push        {r4, lr}
    ldr         r3, [r3]
    wlstp.8     lr, r3, 2f
1:
    vldrb.8     q0, [r0], #16
    vldrb.u8    q1, [r1, q0]
    vstrb.8     q1, [r2], #16
    letp        lr, 1b
2:
    pop         {r4, pc}
hil_end lut_8_mve
