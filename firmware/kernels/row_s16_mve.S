/* row_s16_mve.h: four sums in r0, r2, r4 and r6, as VMLADAVA adds to even registers alone */
#include "kernel_asm.h"

    hil_function row_s16_mve, 8
    push    {r4-r11, lr}
    ldr     r12, [sp, #36]
    ldrd    r9, r10, [r12]          @ taps, channels left
    ldrd    r4, r5, [r12, #8]
    vdup.32 q2, r4
    vdup.32 q3, r5
    mov     r11, r0
    mov     r8, r2
    mov     r7, r3
    mov     r5, r1
.Lquad:
    ldrd    r0, r2, [r8]
    ldrd    r4, r6, [r8, #8]
    mov     r1, r11
    wlstp.16 lr, r9, .Lsummed
.Ltaps:
    vldrh.u16 q0, [r1], #16
    vldrb.s16 q1, [r5], #8
    vmladava.s16 r0, q0, q1
    vldrb.s16 q1, [r5], #8
    vmladava.s16 r2, q0, q1
    vldrb.s16 q1, [r5], #8
    vmladava.s16 r4, q0, q1
    vldrb.s16 q1, [r5], #8
    vmladava.s16 r6, q0, q1
    letp    lr, .Ltaps
.Lsummed:
    vmov    q0[2], q0[0], r0, r4
    vmov    q0[3], q0[1], r2, r6
    vldrw.u32 q1, [r8, #16]
    adds    r8, #32
    vrmulh.s32 q0, q0, q1
    vmax.s32 q0, q0, q2
    vmin.s32 q0, q0, q3
    vctp.32 r10
    vpst
    vstrht.32 q0, [r7], #8
    subs    r10, #4
    bgt     .Lquad
    pop     {r4-r11, pc}
    hil_end row_s16_mve
