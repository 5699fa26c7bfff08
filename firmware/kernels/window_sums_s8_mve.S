/* See window_sums_s8_mve.h. */
#include "kernel_asm.h"

/* r0 x, r1 sums, r2 channels, r3 window */
hil_function window_sums_s8_mve
    push        {r4-r8, lr}
    vpush       {d8-d15}
    ldrd        r4, r5, [r3]        /* rows, columns */
    ldrd        r6, r7, [r3, #8]    /* column, row */
    cmp         r2, #16
    bne         3f
    vmov.i32    q4, #0              /* sums of channels 0, 2, 4, 6 */
    vmov.i32    q5, #0              /* 1, 3, 5, 7 */
    vmov.i32    q6, #0
    vmov.i32    q7, #0
1:
    vmov.i16    q0, #0              /* of one row */
    vmov.i16    q1, #0
    mov         r3, r0
    dls         lr, r5
2:
    vldrb.s16   q2, [r3]
    vldrb.s16   q3, [r3, #8]
    vadd.i16    q0, q0, q2
    add         r3, r3, r6
    vadd.i16    q1, q1, q3
    le          lr, 2b
    vmovlb.s16  q2, q0
    vmovlt.s16  q3, q0
    vadd.i32    q4, q4, q2
    vadd.i32    q5, q5, q3
    vmovlb.s16  q2, q1
    vmovlt.s16  q3, q1
    vadd.i32    q6, q6, q2
    vadd.i32    q7, q7, q3
    add         r0, r0, r7
    subs        r4, r4, #1
    bne         1b
    vst20.32    {q4, q5}, [r1]
    vst21.32    {q4, q5}, [r1]!
    vst20.32    {q6, q7}, [r1]
    vst21.32    {q6, q7}, [r1]
    b           7f
3:  /* up to eight channels */
    vmov.i32    q4, #0
    vmov.i32    q5, #0
    mov         r8, r0
    mov         r12, r4
    vctp.16     r2
4:
    vmov.i16    q0, #0
    mov         r3, r8
    dls         lr, r5
5:
    vpst
    vldrbt.s16  q2, [r3]
    add         r3, r3, r6
    vadd.i16    q0, q0, q2
    le          lr, 5b
    vmovlb.s16  q2, q0
    vmovlt.s16  q3, q0
    vadd.i32    q4, q4, q2
    vadd.i32    q5, q5, q3
    add         r8, r8, r7
    subs        r12, r12, #1
    bne         4b
    vst20.32    {q4, q5}, [r1]
    vst21.32    {q4, q5}, [r1]!
    add         r0, r0, #8
    subs        r2, r2, #8
    bgt         3b
7:
    vpop        {d8-d15}
    pop         {r4-r8, pc}
hil_end window_sums_s8_mve
