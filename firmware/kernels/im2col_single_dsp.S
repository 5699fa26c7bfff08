/* im2col_single_dsp.h */
#include "kernel_asm.h"

    hil_function im2col_single_dsp
    push    {r4-r10, lr}
    ldm     r2, {r3-r6}             /* r3 rows, r4 words, r5 tail, r6 gap; r7 tail so far; lr bytes that it lacks */
    mov     lr, #4
.Lrow:
    lsrs    r8, r4, #1
    bcc     1f
    ldr     r12, [r1], #4
    sxtb16  r9, r12
    sxtb16  r10, r12, ror #8
    strd    r9, r10, [r0], #8
1:  cmp     r8, #0
    beq     .Ltail
.Lwords:
    ldr     r12, [r1], #4
    ldr     r2, [r1], #4
    subs    r8, r8, #1
    sxtb16  r9, r12
    sxtb16  r10, r12, ror #8
    strd    r9, r10, [r0], #8
    sxtb16  r9, r2
    sxtb16  r10, r2, ror #8
    strd    r9, r10, [r0], #8
    bne     .Lwords
.Ltail:
    movs    r8, r5
    beq     .Lnext
.Lbytes:
    ldrb    r12, [r1], #1
    subs    lr, lr, #1
    orr     r7, r12, r7, lsl #8
    bne     1f
    sxtb16  r9, r7
    sxtb16  r10, r7, ror #8
    strd    r9, r10, [r0], #8
    mov     lr, #4
1:  subs    r8, r8, #1
    bne     .Lbytes
.Lnext:
    add     r1, r1, r6
    subs    r3, r3, #1
    bne     .Lrow
    cmp     lr, #4
    beq     1f
    sxtb16  r9, r7
    sxtb16  r10, r7, ror #8
    strd    r9, r10, [r0]
1:  pop     {r4-r10, pc}
    hil_end im2col_single_dsp
