/* Frame, first and last part of the inner kernels of two pixels that keep their sums in r2..r9. */
#include "gemm_dsp_asm.h"

/* on the stack */
#define X_START 0
#define ODD 4
#define OUT0 8
#define OUT1 12
#define OUT0_END 16
#define OFFSET 20
#define CLAMPED 24
#define LOW 28
#define HIGH 32
#define FRAME 36

    /* Loops walk two groups of taps at once; an odd number starts in the middle. */
    .macro hil_4x2_enter
    push    {r4-r11, lr}
    ldr     r4, [sp, #36]
    sub     sp, sp, #FRAME
    ldm     r4, {r5-r10}
    add     r6, r6, r2
    and     r5, r5, #1
    strd    r1, r5, [sp, #X_START]
    add     r12, sp, #OUT0
    stm     r12, {r2, r3, r6, r7, r8, r9, r10}
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
    hil_pack4 \a0, \b0, \c0, \d0
    hil_pack4 \a1, \b1, \c1, \d1
    ldr     r1, [sp, #CLAMPED]
    cbz     r1, 6f
    ldrd    r10, r11, [sp, #LOW]
    hil_clamp4 \a0, r10, r11, lr
    hil_clamp4 \a1, r10, r11, lr
6:
    .endm

    /* Stores up to four bytes a pixel; goes on at `more` while channels are left, and returns otherwise. */
    .macro hil_4x2_store p0, p1, more
    ldrd    r10, r11, [sp, #OUT0]
    ldr     r12, [sp, #OUT0_END]
    sub     r12, r12, r10
    cmp     r12, #4
    blt     7f
    str     \p0, [r10], #4
    str     \p1, [r11], #4
    strd    r10, r11, [sp, #OUT0]
    bgt     \more
8:  add     sp, sp, #FRAME
    pop     {r4-r11, pc}
7:  lsrs    r12, r12, #1
    beq     9f
    strh    \p0, [r10], #2
    strh    \p1, [r11], #2
    lsr     \p0, \p0, #16
    lsr     \p1, \p1, #16
9:  bcc     8b
    strb    \p0, [r10]
    strb    \p1, [r11]
    b       8b
    .endm
