/* See move_mve.h. From the end that lies over the other first: what is written has been read. */
#include "kernel_asm.h"

/* r0 input, r1 output, r2 shape */
hil_function move_mve
    push        {r4, lr}
    ldr         r2, [r2]
    cmp         r1, r0
    bhi         3f
    wlstp.8     lr, r2, 2f
1:
    vldrb.8     q0, [r0], #16
    vstrb.8     q0, [r1], #16
    letp        lr, 1b
2:
    pop         {r4, pc}
3:  /* backwards: what is beyond whole vectors, then those */
    lsr         r3, r2, #4
    add         r0, r0, r3, lsl #4
    add         r1, r1, r3, lsl #4
    and         r2, r2, #15
    vctp.8      r2
    vpstt
    vldrbt.u8   q0, [r0]
    vstrbt.8    q0, [r1]
    wls         lr, r3, 5f
4:
    vldrb.8     q0, [r0, #-16]!
    vstrb.8     q0, [r1, #-16]!
    le          lr, 4b
5:
    pop         {r4, pc}
hil_end move_mve
