/* See quad_f32_mve.h. */
#include "f32_mve_asm.h"

    .equ X, 0
    .equ W, 4
    .equ BIAS, 8
    .equ OUTPUT, 12
    .equ LOW, 16
    .equ HIGH, 20
    .equ ROWS, 24
    .equ RUNS, 28
    .equ TAPS, 32
    .equ X_STEP, 36
    .equ OUTPUT_STEP, 40
    .equ X_RUN, 44      /* w_run behind it */
    .equ X_ROW, 52      /* w_row behind it */
    .equ W_QUAD, 60
    .equ LEFT, 64

/* r0 and on: pixels; r4: weights; r11: runs; r12: tile; q0 and on: sums */

/* two taps of four pixels */
    .macro taps_4
    ldrd        r5, r6, [r0], #8
    vldrw.32    q4, [r4], #16
    vmul.f32    q6, q4, r5
    ldrd        r7, r8, [r1], #8
    vmul.f32    q7, q4, r7
    vldrw.32    q5, [r4], #16
    vadd.f32    q0, q0, q6
    vmul.f32    q6, q5, r6
    ldrd        r9, r10, [r2], #8
    vadd.f32    q1, q1, q7
    vmul.f32    q7, q5, r8
    ldrd        r5, r6, [r3], #8
    vadd.f32    q0, q0, q6
    vmul.f32    q6, q4, r9
    vadd.f32    q1, q1, q7
    vmul.f32    q7, q4, r5
    vadd.f32    q2, q2, q6
    vmul.f32    q6, q5, r10
    vadd.f32    q3, q3, q7
    vmul.f32    q7, q5, r6
    vadd.f32    q2, q2, q6
    vadd.f32    q3, q3, q7
    .endm

    .macro tap_4
    vldrw.32    q4, [r4], #16
    ldr         r5, [r0], #4
    ldr         r6, [r1], #4
    vmul.f32    q6, q4, r5
    vmul.f32    q7, q4, r6
    ldr         r7, [r2], #4
    ldr         r8, [r3], #4
    vadd.f32    q0, q0, q6
    vadd.f32    q1, q1, q7
    vmul.f32    q6, q4, r7
    vmul.f32    q7, q4, r8
    vadd.f32    q2, q2, q6
    vadd.f32    q3, q3, q7
    .endm

/* four taps of one pixel */
    .macro taps_1
    ldm         r0!, {r5-r8}
    vldrw.32    q1, [r4], #16
    vmul.f32    q5, q1, r5
    vldrw.32    q2, [r4], #16
    vmul.f32    q6, q2, r6
    vldrw.32    q3, [r4], #16
    vadd.f32    q0, q0, q5
    vmul.f32    q5, q3, r7
    vldrw.32    q4, [r4], #16
    vadd.f32    q0, q0, q6
    vmul.f32    q6, q4, r8
    vadd.f32    q0, q0, q5
    vadd.f32    q0, q0, q6
    .endm

    .macro tap_1
    ldr         r5, [r0], #4
    vldrw.32    q1, [r4], #16
    vmul.f32    q5, q1, r5
    vadd.f32    q0, q0, q5
    .endm

/* one tap, r6 bytes before the next, where every channel has an input of its own */
    .macro depthwise_4
    vldrw.32    q4, [r4], #16
    vldrw.32    q5, [r0]
    add         r0, r0, r6
    vmul.f32    q5, q5, q4
    vldrw.32    q6, [r1]
    add         r1, r1, r6
    vmul.f32    q6, q6, q4
    vldrw.32    q7, [r2]
    vadd.f32    q0, q0, q5
    add         r2, r2, r6
    vmul.f32    q7, q7, q4
    vldrw.32    q5, [r3]
    vadd.f32    q1, q1, q6
    add         r3, r3, r6
    vmul.f32    q5, q5, q4
    vadd.f32    q2, q2, q7
    vadd.f32    q3, q3, q5
    .endm

    .macro depthwise_1
    vldrw.32    q1, [r0]
    vldrw.32    q2, [r4], #16
    add         r0, r0, r6
    vmul.f32    q1, q1, q2
    vadd.f32    q0, q0, q1
    .endm

    .macro move by, pixels:vararg
    .irp        x, \pixels
    add         \x, \x, \by
    .endr
    .endm

/* the sums of a window over all inputs; 9 is behind them */
    .macro dense_window number, pixels:vararg
    ldr         r11, [r12, #ROWS]
    cmp         r11, #0
    beq.w       9f
2:  /* a row */
    push        {r11}
    ldr         r11, [r12, #RUNS]
3:  /* a run */
    ldr         lr, [r12, #TAPS]
    .if \number == 4
    lsrs        lr, lr, #1
    bcc         5f
    tap_4
    .else
    lsr         r9, lr, #2
    and         lr, lr, #3
    wls         lr, lr, 4f
1:
    tap_1
    le          lr, 1b
4:
    mov         lr, r9
    .endif
5:
    wls         lr, lr, 7f
6:
    taps_\number
    le          lr, 6b
7:
    subs        r11, r11, #1
    beq         8f
    ldrd        r5, r6, [r12, #X_RUN]
    move        r5, \pixels
    add         r4, r4, r6
    b           3b
8:
    pop         {r11}
    ldrd        r5, r6, [r12, #X_ROW]
    move        r5, \pixels
    add         r4, r4, r6
    subs        r11, r11, #1
    bne.w       2b
    .endm

/* the same of a window over one input */
    .macro depthwise_window number, pixels:vararg
    ldrd        r7, r8, [r12, #X_ROW]
    ldr         r6, [r12, #X_RUN]
    ldr         r9, [r12, #TAPS]
    ldr         r11, [r12, #ROWS]
    cmp         r11, #0
    beq         9f
2:
    dls         lr, r9
3:
    depthwise_\number
    le          lr, 3b
    move        r7, \pixels
    add         r4, r4, r8
    subs        r11, r11, #1
    bne         2b
    .endm

    .macro quad_f32_mve name, window, number, pixels:vararg
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    mov         r12, r0
    hil_clear_status r5
0:  /* four channels */
    ldrd        r0, r4, [r12, #X]
    .if \number == 4
    ldr         r5, [r12, #X_STEP]
    add         r1, r0, r5
    add         r2, r1, r5
    add         r3, r2, r5
    vmov.i32    q1, #0
    vmov.i32    q2, #0
    vmov.i32    q3, #0
    .endif
    vmov.i32    q0, #0
    \window\()_window \number, \pixels
9:  /* their outputs */
    ldrd        r7, r0, [r12, #BIAS]
    ldrd        r5, r6, [r12, #LOW]
    vldrw.32    q4, [r7], #16
    ldr         r8, [r12, #LEFT]
    vadd.f32    q0, q0, q4
    add         r4, r0, #16
    .if \number == 4
    ldr         r9, [r12, #OUTPUT_STEP]
    vadd.f32    q1, q1, q4
    add         r1, r0, r9
    vadd.f32    q2, q2, q4
    add         r2, r1, r9
    vadd.f32    q3, q3, q4
    add         r3, r2, r9
    hil_clamp_f32 q1
    hil_clamp_f32 q2
    hil_clamp_f32 q3
    .endif
    hil_clamp_f32 q0
    vmrs        r10, fpscr
    tst         r10, #APART
    bne         10f
    vctp.32     r8
    .if \number == 4
    vpstttt
    .else
    vpst
    .endif
    vstrwt.32   q0, [r0]
    .if \number == 4
    vstrwt.32   q1, [r1]
    vstrwt.32   q2, [r2]
    vstrwt.32   q3, [r3]
    .endif
    strd        r7, r4, [r12, #BIAS]
    ldrd        r5, r6, [r12, #X]
    ldr         r7, [r12, #W_QUAD]
    .ifc        \window,depthwise
    adds        r5, r5, #16
    .endif
    add         r6, r6, r7
    strd        r5, r6, [r12, #X]
    subs        r8, r8, #4
    str         r8, [r12, #LEFT]
    bgt.w       0b
    movs        r8, #0
10:
    mov         r0, r8
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    quad_f32_mve quad_f32_mve_4, dense, 4, r0, r1, r2, r3
    quad_f32_mve quad_f32_mve_1, dense, 1, r0
    quad_f32_mve depthwise_f32_mve_4, depthwise, 4, r0, r1, r2, r3
    quad_f32_mve depthwise_f32_mve_1, depthwise, 1, r0
