/* See depthwise_taps_s8_mve.h. */
#include "kernel_asm.h"
#include "requant_mve.h"

/* one tap of eight channels, at \pixel */
    .macro depthwise_tap pixel, lanes
    vldrb.s16   q1, [r0], #8
    .ifc \lanes,spread
    vldrb.s16   q0, [\pixel, q7]
    .else
    add         \pixel, \pixel, r3
    vldrb.s16   q0, [\pixel]
    .endif
    vmullb.s16  q2, q0, q1
    vmullt.s16  q3, q0, q1
    vadd.i32    q4, q4, q2
    vadd.i32    q5, q5, q3
    .endm

/* r0 packed weights, r1 output, r2 work, then the taps' pixels; r3 channel, r4 taps, r5 count, r6 pairs, r8 channels;
   r12 last;
   q4 and q5 accumulate, q7 offsets */
    .macro depthwise_taps name, lanes, form
hil_function \name
    push        {r4-r11, lr}
    vpush       {d8-d15}
    ldrd        r4, r5, [r2]        /* taps, count */
    ldrd        r8, r12, [r2, #8]   /* channels, last */
    ldrd        r9, r10, [r2, #16]  /* out_zero, clamp_min */
    ldr         r11, [r2, #24]      /* clamp_max */
    movs        r3, #0
1:
    .ifc \lanes,spread
    vldrw.32    q7, [r0], #16
    .endif
    vldrw.32    q4, [r0], #16
    vldrw.32    q5, [r0], #16
    mov         r2, r4
    lsrs        r6, r5, #1
    bcc         2f
    ldr         r7, [r2], #4
    depthwise_tap r7, \lanes
2:
    wls         lr, r6, 4f
3:
    ldrd        r7, r6, [r2], #8
    depthwise_tap r7, \lanes
    depthwise_tap r6, \lanes
    le          lr, 3b
4:
    .ifc \form,general
    vldrb.s32   q0, [r0], #4
    vldrb.s32   q1, [r0], #4
    vshl.s32    q4, q4, q0
    vshl.s32    q5, q5, q1
    .endif
    vldrw.32    q0, [r0], #16
    vldrw.32    q1, [r0], #16
    requant_mve_multiply \form, q4, q0
    requant_mve_multiply \form, q5, q1
    requant_mve_shifts \form, q0, r0
    requant_mve_shifts \form, q1, r0
    requant_mve_shift \form, q4, q0, q2
    requant_mve_shift \form, q5, q1, q2
    vdup.16     q0, r9
    vdup.16     q1, r10
    vdup.16     q2, r11
    requant_mve_narrow \form, q4, q5, q0, q1, q2
    sub         r2, r8, r3          /* channels that are left */
    add         r7, r1, r3
    vctp.16     r2
    vpst
    vstrbt.16   q4, [r7]
    cmp         r3, r12
    beq         5f
    add         r3, r3, #8
    cmp         r3, r12
    it          gt
    movgt       r3, r12
    b           1b
5:
    vpop        {d8-d15}
    pop         {r4-r11, pc}
hil_end \name
    .endm

    depthwise_taps depthwise_taps_s8_mve, plain, general
    depthwise_taps depthwise_taps_s8_mve_spread, spread, general
#if __ARM_FEATURE_MVE & 2 /* vectors of floats */
    depthwise_taps depthwise_taps_s8_mve_float, plain, float
    depthwise_taps depthwise_taps_s8_mve_float_spread, spread, float
#endif
