/* gemm_4x1_int4_dsp.h */
#define FRAME 52
#include "gemm_4x1_dsp_asm.h"
#include "gemm_int4_dsp_asm.h"

    hil_function gemm_4x1_int4_dsp
    hil_4x1_enter 8
    /* the sum of the activations */
    ldr     r12, [sp, #X_END]
    mov     r11, #0x00010001
    movs    r10, #0
    .balign 4
.Lsum:
    ldrd    r4, r5, [r1], #8
    cmp     r1, r12
    smlad   r10, r4, r11, r10
    smlad   r10, r5, r11, r10
    bne     .Lsum
    hil_int4_starts r10, r2, r3, r4
    mov     r5, r4
    add     r10, sp, #STARTS
    stm     r10, {r2-r5}
    .balign 4
.Lblock:
    add     r10, sp, #STARTS
    ldm     r10, {r2-r5}
    ldrd    r1, r12, [sp, #X_START]
    cmp.w   r12, #0
    beq.w   4f
3:  ldrd    r10, r11, [r1], #8
    ldrd    r6, r7, [r0], #8
    hil_int4_macs r6, r10
    hil_int4_macs r7, r11
    subs.w  r12, r12, #1
    bne.w   3b
    ldr     lr, [sp, #X_END]
    cmp.w   r1, lr
    beq.w   5f
    .balign 4
4:  .rept   4
    ldm     r1!, {r10, r11, r12, lr}
    ldm     r0!, {r6-r9}
    hil_int4_macs r6, r10
    hil_int4_macs r7, r11
    hil_int4_macs r8, r12
    hil_int4_macs r9, lr
    .endr
    ldr     lr, [sp, #X_END]
    cmp     r1, lr
    bne.w   4b
5:  ldm     r0!, {r6-r9}
    hil_int4_apart r2, r3, r4, r5, r6, r7, r8, r9
    hil_4x1_requant r2, r3, r4, r5
    hil_4x1_store r2, .Lblock
    hil_end gemm_4x1_int4_dsp
