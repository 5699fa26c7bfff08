/* See copy_mve.h. */
#include "kernel_asm.h"

/* r0 to, r1 from, r2 count */
hil_function copy_mve
    push        {r4, lr}
    wlstp.8     lr, r2, 2f
1:
    vldrb.8     q0, [r1], #16
    vstrb.8     q0, [r0], #16
    letp        lr, 1b
2:
    pop         {r4, pc}
hil_end copy_mve
