/* gemm_4x2_int4_dsp.h */
#define FRAME 68
#include "gemm_4x2_dsp_asm.h"
#include "gemm_int4_dsp_asm.h"

    /* a group of taps; r0 and the activations' offset move on */
    .macro hil_int4_group x
    ldrd    r10, r11, [r0], #8
    ldr     r12, [r1, #\x]
    ldr     lr, [r1, #\x + 8]
    hil_int4_macs_pair r10, r12, lr
    ldr     r12, [r1, #\x + 4]
    ldr     lr, [r1, #\x + 12]
    hil_int4_macs_pair r11, r12, lr
    .endm

    hil_function gemm_4x2_int4_dsp
    hil_4x2_enter
    /* the sums of both pixels' activations */
    movs    r2, #0
    movs    r3, #0
    mov     r12, #0x00010001
    .balign 4
.Lsum:
    ldm     r1!, {r4-r7}
    ldr     r10, [r1]
    smlad   r2, r4, r12, r2
    smlad   r3, r6, r12, r3
    smlad   r2, r5, r12, r2
    smlad   r3, r7, r12, r3
    cmp     r10, #HIL_COLUMNS_END
    bne     .Lsum
    mov     r10, r2
    mov     r11, r3
    hil_int4_starts r10, r2, r3, r4
    mov     r5, r4
    hil_int4_starts r11, r6, r7, r8
    mov     r9, r8
    add     r10, sp, #STARTS
    stm     r10, {r2-r9}
    .balign 4
.Lblock:
    add     r10, sp, #STARTS
    ldm     r10, {r2-r9}
    ldrd    r1, r10, [sp, #X_START]
    cmp     r10, #0
    beq.w   3f
    sub.w   r1, r1, #16
    b.w     1f
    .balign 4
3:  hil_int4_group 0
1:  hil_int4_group 16
    ldr     r12, [r1, #32]!
    cmp     r12, #HIL_COLUMNS_END
    bne.w   3b
    ldm     r0!, {r10, r11, r12, lr}
    hil_int4_apart r2, r3, r4, r5, r10, r11, r12, lr
    hil_int4_apart r6, r7, r8, r9, r10, r11, r12, lr
    hil_4x2_requant r2, r3, r4, r5, r6, r7, r8, r9
    hil_4x2_store r2, r6, .Lblock
    hil_end gemm_4x2_int4_dsp
