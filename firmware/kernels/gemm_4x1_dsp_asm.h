/* Frame, first and last part of the inner kernels of one pixel that keep their sums in r2..r5. */
#include "gemm_dsp_asm.h"

/* on the stack */
#define X_END 0
#define X_START 4
#define REST 8
#define OUT 12
#define LAST 16 /* of four channels */
#define OFFSET 20
#define CLAMPED 24
#define LOW 28
#define HIGH 32
#ifndef FRAME /* or more, of the kernel's own */
#define FRAME 36
#endif

    /* Loops walk `unrolled` groups of taps at once, a power of two, after as many single ones as are left over. */
    .macro hil_4x1_enter unrolled
    push    {r4-r11, lr}
    sub     sp, sp, #FRAME
    ldm     r3, {r4-r9}
    add     r10, sp, #OUT
    subs    r5, r5, #4
    add     r5, r5, r2
    stm     r10, {r2, r5, r6, r7, r8, r9}
    add     r3, r1, r4, lsl #3
    and     r4, r4, #\unrolled - 1
    str     r3, [sp, #X_END]
    strd    r1, r4, [sp, #X_START]
    .endm

    /* Clamps four packed outputs; r1, r10, r11 and lr are lost. */
    .macro hil_4x1_clamped a
    ldr     r1, [sp, #CLAMPED]
    cbz     r1, 6f
    ldrd    r10, r11, [sp, #LOW]
    hil_clamp4 \a, r10, r11, lr
6:
    .endm

    /* Requantizes doubled sums a..d (hil_requant, in turn), in channel order, and packs them into a. r0 is at the multipliers and ends after the
     * shifts; r1, r6..r11 and lr are lost. */
    .macro hil_4x1_requant a, b, c, d
    ldm     r0!, {r6-r9}
    ldr     r10, [r0], #4
    ldr     r11, [sp, #OFFSET]
    lsl.w   r1, r11, r10
    smmlar  lr, \a, r6, r1
    lsr.w   r6, r10, #8
    lsl.w   r1, r11, r6
    add.w   lr, lr, \a, asr #31
    smmlar  r7, \b, r7, r1
    asr.w   lr, lr, r10
    lsr.w   r10, r6, #8
    lsl.w   r1, r11, r10
    ssat    \a, #8, lr, asr #1
    add.w   r7, r7, \b, asr #31
    smmlar  r8, \c, r8, r1
    asr.w   r7, r7, r6
    lsr.w   r6, r10, #8
    lsl.w   r1, r11, r6
    ssat    \b, #8, r7, asr #1
    add.w   r8, r8, \c, asr #31
    smmlar  r9, \d, r9, r1
    asr.w   r8, r8, r10
    bfi     \a, \b, #8, #8
    ssat    \c, #8, r8, asr #1
    add.w   r9, r9, \d, asr #31
    bfi     \a, \c, #16, #8
    asr.w   r9, r9, r6
    ssat    \d, #8, r9, asr #1
    bfi     \a, \d, #24, #8
    hil_4x1_clamped \a
    .endm

    /* Stores up to four bytes; goes on at `more` while channels are left, and returns otherwise. `ready`: OUT is in r10, and in
     * r11 and the flags LAST - OUT. */
    .macro hil_4x1_store p, more, ready=0
    .if !\ready
    ldrd    r10, r11, [sp, #OUT]
    subs.w  r11, r11, r10
    .endif
    blt     7f
    str     \p, [r10], #4
    str     r10, [sp, #OUT]
    bne     \more
8:  add     sp, sp, #FRAME
    pop     {r4-r11, pc}
7:  adds    r11, r11, #2
    blt     9f
    strh    \p, [r10], #2
    lsr     \p, \p, #16
    beq     8b
9:  strb    \p, [r10]
    b       8b
    .endm
