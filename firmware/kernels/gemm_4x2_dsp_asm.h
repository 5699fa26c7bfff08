/* Frame, first and last part of the inner kernels of two pixels that keep their sums in r2..r9. */
#include "gemm_dsp_asm.h"

/* on the stack */
#define OUT 0   /* of the first pixel */
#define APART 4 /* from it to the second's */
#define LAST 8  /* of four channels, of the first pixel */
#define OFFSET 12
#define CLAMPED 16
#define LOW 20
#define HIGH 24
#define X_START 28
#define ODD 32
#ifndef FRAME /* or more, of the kernel's own */
#define FRAME 36
#endif

    /* Loops walk two groups of taps at once; an odd number starts in the middle. */
    .macro hil_4x2_enter
    push    {r4-r11, lr}
    ldr     r4, [sp, #36]
    sub     sp, sp, #FRAME
    ldm     r4, {r5-r10}
    subs    r3, r3, r2
    adds    r6, r6, r2
    subs    r6, r6, #4
    stm     sp, {r2, r3, r6, r7, r8, r9, r10}
    and     r5, r5, #1
    strd    r1, r5, [sp, #X_START]
    .endm

    /* Sums of four channels from their biases, the same for both pixels; r0 is at the biases. */
    .macro hil_4x2_sums
    ldm.w   r0!, {r2-r5}
    mov.w   r6, r2
    mov.w   r7, r3
    mov.w   r8, r4
    mov.w   r9, r5
    hil_4x2_taps
    .endm

    /* Packs outputs a0..d0 of the first pixel and a1..d1 of the second into a0 and a1, and clamps them; r1, r10, r11, r12 and
     * lr are lost. */
    .macro hil_4x2_packed a0, b0, c0, d0, a1, b1, c1, d1
    hil_pack4 \a0, \b0, \c0, \d0
    hil_pack4 \a1, \b1, \c1, \d1
    ldr     r1, [sp, #CLAMPED]
    cbz     r1, 6f
    ldrd    r10, r11, [sp, #LOW]
    hil_clamp4 \a0, r10, r11, lr
    hil_clamp4 \a1, r10, r11, lr
6:
    .endm

    /* Requantizes doubled sums a0..d0 of the first pixel and a1..d1 of the second, in channel order, and packs them into a0
     * and a1. r0 is at the multipliers and ends after the shifts; r1, r10..r12 and lr are lost. */
    .macro hil_4x2_requant a0, b0, c0, d0, a1, b1, c1, d1
    ldr     r10, [r0, #16]
    ldr     r11, [sp, #OFFSET]
    ldr     r12, [r0]
    lsl.w   r1, r11, r10
    hil_requant \a0, r12, r1, r10, lr, 1
    hil_requant \a1, r12, r1, r10, lr, 1
    lsr.w   r10, r10, #8
    ldr     r12, [r0, #4]
    lsl.w   r1, r11, r10
    hil_requant \b0, r12, r1, r10, lr, 1
    hil_requant \b1, r12, r1, r10, lr, 1
    lsr.w   r10, r10, #8
    ldr     r12, [r0, #8]
    lsl.w   r1, r11, r10
    hil_requant \c0, r12, r1, r10, lr, 1
    hil_requant \c1, r12, r1, r10, lr, 1
    lsr.w   r10, r10, #8
    ldr     r12, [r0, #12]
    lsl.w   r1, r11, r10
    hil_requant \d0, r12, r1, r10, lr, 1
    hil_requant \d1, r12, r1, r10, lr, 1
    add.w   r0, r0, #20
    hil_4x2_packed \a0, \b0, \c0, \d0, \a1, \b1, \c1, \d1
    .endm

    /* Stores up to four bytes a pixel; goes on at `more` while channels are left, and returns otherwise. */
    .macro hil_4x2_store p0, p1, more
    ldm     sp, {r10, r11, r12}
    subs.w  r12, r12, r10
    blt.w   7f
    str     \p1, [r10, r11]
    str     \p0, [r10], #4
    str     r10, [sp, #OUT]
    bne     \more
8:  add     sp, sp, #FRAME
    pop     {r4-r11, pc}
7:  add     r11, r11, r10
    adds    r12, r12, #2
    blt     9f
    strh    \p0, [r10], #2
    strh    \p1, [r11], #2
    lsr     \p0, \p0, #16
    lsr     \p1, \p1, #16
    beq     8b
9:  strb    \p0, [r10]
    strb    \p1, [r11]
    b       8b
    .endm
