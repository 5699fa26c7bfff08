/* See fill_mve.h. */
#include "kernel_asm.h"

/* r0 bytes, r1 value, r2 count */
hil_function fill_mve
    vdup.8      q0, r1
    push        {r4, lr}
    wlstp.8     lr, r2, 2f
1:
    vstrb.8     q0, [r0], #16
    letp        lr, 1b
2:
    pop         {r4, pc}
hil_end fill_mve
