/* dot_s16_long_mve.h: four sums in r4 to r11 */
#include "kernel_asm.h"

    hil_function dot_s16_long_mve, 8
    push    {r4-r11, lr}
    movs    r4, #0
    movs    r5, #0
    movs    r6, #0
    movs    r7, #0
    mov     r8, r4
    mov     r9, r4
    mov     r10, r4
    mov     r11, r4
    wlstp.16 lr, r3, .Lsummed_long
.Ltaps_long:
    vldrh.u16 q0, [r1], #16
    vldrb.s16 q1, [r2], #8
    vmlaldava.s16 r4, r5, q0, q1
    vldrb.s16 q1, [r2], #8
    vmlaldava.s16 r6, r7, q0, q1
    vldrb.s16 q1, [r2], #8
    vmlaldava.s16 r8, r9, q0, q1
    vldrb.s16 q1, [r2], #8
    vmlaldava.s16 r10, r11, q0, q1
    letp    lr, .Ltaps_long
.Lsummed_long:
    stm     r0, {r4-r11}
    pop     {r4-r11, pc}
    hil_end dot_s16_long_mve
