/* Sums of weights that cannot share lanes (gemm.py), a byte each: 16 instructions for 16 products. */

    /* two pixels; r2..r5 channels 0..3, r6..r9 the same of the second pixel */
    .macro hil_4x2_half even0, even1, odd0, odd1
    sxtb16  r11, r10
    sxtb16  r10, r10, ror #8
    smlad   \even0, r11, r12, \even0
    smlad   \even1, r11, lr, \even1
    smlad   \odd0, r10, r12, \odd0
    smlad   \odd1, r10, lr, \odd1
    .endm

    .macro hil_4x2_step w, x
    ldr     r10, [r0, #\w]
    ldr     r12, [r1, #\x]
    ldr     lr, [r1, #\x + 8]
    hil_4x2_half r2, r6, r3, r7
    ldr     r10, [r0, #\w + 4]
    hil_4x2_half r4, r8, r5, r9
    .endm

    /* all taps of a block, two groups at once; r0 is at its weights, and ends after them */
    .macro hil_4x2_taps
    ldrd    r1, r10, [sp, #X_START]
    cmp.w   r10, #0
    beq.w   3f
    sub.w   r0, r0, #16
    sub.w   r1, r1, #16
    b.w     1f
3:  hil_4x2_step 0, 0
    hil_4x2_step 8, 4
1:  hil_4x2_step 16, 16
    hil_4x2_step 24, 20
    ldr     r12, [r1, #32]!
    add     r0, r0, #32
    cmp     r12, #HIL_COLUMNS_END
    bne.w   3b
    .endm

    /* one pixel; r2..r5 channels 0..3 */
    .macro hil_4x1_half word, x, even, odd
    sxtb16  lr, \word
    sxtb16  \word, \word, ror #8
    smlad   \even, lr, \x, \even
    smlad   \odd, \word, \x, \odd
    .endm

    /* all taps of a block; r0 is at its weights, and ends after them */
    .macro hil_4x1_taps
    ldr     r1, [sp, #X_START]
    ldr     r12, [sp, #X_END]
3:  ldrd    r10, r11, [r1], #8
    ldm     r0!, {r6-r9}
    cmp     r1, r12
    hil_4x1_half r6, r10, r2, r3
    hil_4x1_half r7, r10, r4, r5
    hil_4x1_half r8, r11, r2, r3
    hil_4x1_half r9, r11, r4, r5
    bne     3b
    .endm
