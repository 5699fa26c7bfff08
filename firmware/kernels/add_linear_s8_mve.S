/* See add_linear_s8_mve.h. */
#include "add_line.h"
#include "kernel_asm.h"

/* x = x * a_factor + offset, plus y * b_factor */
    .macro line x, y, operands
    vmlas.s32   \x, q6, r6
    .ifc \operands,dense
    vmla.s32    \x, \y, r5
    .endif
    .endm

    .macro load x, y, operands
    vldrb.s32   \x, [r0], #4
    .ifc \operands,dense
    vldrb.s32   \y, [r1], #4
    .endif
    .endm

/* x >> 16 in the 16-bit lanes of q0 and q1, shifted by the rest: in even and odd bytes. Rounds, which the offset makes
   good: GNU as 2.40 gives VQRSHRNB for VQSHRNB. */
    .macro finish half, x
    vqrshrn\half\().s16 q0, \x, #(HIL_ADD_FRACTION_BITS_MVE - 16)
    .endm

    .macro clamp clamping
    .ifc \clamping,clamped
    vmax.s8     q0, q0, q4
    vmin.s8     q0, q0, q5
    .endif
    .endm

/* r0 a, r1 b, r2 output; r3 work, then what is left over; r5 b_factor, r6 offset; q4 and q5 clamp, q6 a_factor,
   q7 outputs of the lanes */
    .macro add_linear name, operands, clamping
hil_function \name
    push        {r4-r8, lr}
    vpush       {d8-d15}
    .ifc \operands,dense
    mov         r7, r3
    .else
    mov         r7, r2
    mov         r2, r1
    .endif
    ldrd        r3, r4, [r7]        /* count, a_factor */
    ldrd        r5, r6, [r7, #8]
    ldrd        r8, r12, [r7, #16]
    vdup.8      q4, r8
    vdup.8      q5, r12
    vdup.32     q6, r4
    movs        r4, #0              /* byte b is output 8 * b0 + 4 * b1 + (b >> 2) */
    vidup.u8    q0, r4, #1
    vmov.i8     q1, #1
    vshr.u8     q7, q0, #2
    vand        q2, q0, q1
    vshl.i8     q2, q2, #3
    vadd.i8     q7, q7, q2
    vshl.i8     q1, q1, #1
    vand        q2, q0, q1
    vshl.i8     q2, q2, #1
    vadd.i8     q7, q7, q2
    lsr         r4, r3, #4
    and         r3, r3, #15
    wls         lr, r4, 2f
1:
    load        q0, q1, \operands
    load        q2, q3, \operands
    line        q0, q1, \operands
    line        q2, q3, \operands
    vshrnb.i32  q0, q0, #16
    load        q1, q3, \operands
    vshrnt.i32  q0, q2, #16
    line        q1, q3, \operands
    load        q2, q3, \operands
    finish      b, q0
    line        q2, q3, \operands
    vshrnb.i32  q1, q1, #16
    vshrnt.i32  q1, q2, #16
    finish      t, q1
    clamp       \clamping
    vstrb.8     q0, [r2, q7]
    add         r2, r2, #16
    le          lr, 1b
2:
    wlstp.32    lr, r3, 4f
3:
    load        q0, q1, \operands
    line        q0, q1, \operands
    vshrnb.i32  q0, q0, #16
    finish      b, q0
    clamp       \clamping
    vstrb.32    q0, [r2], #4
    letp        lr, 3b
4:
    vpop        {d8-d15}
    pop         {r4-r8, pc}
hil_end \name
    .endm

    add_linear add_linear_s8_mve_dense, dense, clamped
    add_linear add_linear_s8_mve_value, value, clamped
    add_linear add_linear_s8_mve_saturating_dense, dense, none
    add_linear add_linear_s8_mve_saturating_value, value, none
