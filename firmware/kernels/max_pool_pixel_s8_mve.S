/* See max_pool_pixel_s8_mve.h. */
#include "kernel_asm.h"

/* r0 x, r1 output, r2 channels, r3 window */
hil_function max_pool_pixel_s8_mve
    push        {r4-r8, lr}
    ldrd        r4, r12, [r3, #16]  /* clamp */
    vdup.8      q2, r4
    vdup.8      q3, r12
    ldrd        r4, r5, [r3]        /* rows, columns */
    ldrd        r6, r7, [r3, #8]    /* column, row */
1:  /* 16 channels; those that do not exist are neither read nor written */
    vctp.8      r2
    vmov        q0, q2              /* no smaller than the clamp's lower end */
    mov         r3, r0
    mov         r8, r4
2:
    mov         r12, r3
    dls         lr, r5
3:
    vpst
    vldrbt.u8   q1, [r12]
    add         r12, r12, r6
    vmax.s8     q0, q0, q1
    le          lr, 3b
    add         r3, r3, r7
    subs        r8, r8, #1
    bne         2b
    vmin.s8     q0, q0, q3
    vpst
    vstrbt.8    q0, [r1]
    add         r0, r0, #16
    add         r1, r1, #16
    subs        r2, r2, #16
    bgt         1b
    pop         {r4-r8, pc}
hil_end max_pool_pixel_s8_mve
