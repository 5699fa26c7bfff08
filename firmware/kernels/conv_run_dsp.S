/* conv_run_dsp.h */
#include "kernel_asm.h"

    .macro hil_run load, store, size
    cbz     r2, 2f
1:  \store  r5, [r0], #\size
    subs    r2, r2, #\size
    bne     1b
2:  cbz     r3, 2f
1:  \load   r6, [r1], #\size
    subs    r3, r3, #\size
    \store  r6, [r0], #\size
    bne     1b
2:  cbz     r4, 2f
1:  \store  r5, [r0], #\size
    subs    r4, r4, #\size
    bne     1b
2:  pop     {r4-r6, pc}
    .endm

    hil_function conv_run_dsp
    push    {r4-r6, lr}
    ldrd    r4, r5, [sp, #16]
    orr     r6, r2, r3
    orr     r6, r6, r4
    lsls    r6, r6, #30
    bne     .Lbytes
    hil_run ldr, str, 4
.Lbytes:
    hil_run ldrb, strb, 1
    hil_end conv_run_dsp
