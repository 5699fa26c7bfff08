/* Sums of carry-packed weights (gemm.py) of one pixel, scheduled for the Cortex-M7: 9 cycles for 16 products. Loads run
 * ahead, up to 8 bytes beyond the weights and the column. */

    /* Four taps, whose words of weights r6, r7 and of activations r10, r11 are loaded: the rest of them, and those of the
     * next, are loaded from w and x on; r2 P of channels 0 and 1, r3 Q, r4 P of 2 and 3, r5 Q. */
    .macro hil_4x1_group w, x, move=, step=0
    smlad   r2, r6, r10, r2
    ldr     r8, [r0, #\w]\move
    sxtb16  r6, r6
    smlad   r4, r7, r10, r4
    sxtb16  r7, r7
    smlad   r3, r6, r10, r3
    smlad   r5, r7, r10, r5
    ldr     r9, [r0, #\w + 4 - \step]
    ldr     r6, [r0, #\w + 8 - \step]
    ldr     r7, [r0, #\w + 12 - \step]
    smlad   r2, r8, r11, r2
    ldr     r10, [r1, #\x]\move
    sxtb16  r8, r8
    smlad   r4, r9, r11, r4
    sxtb16  r9, r9
    smlad   r3, r8, r11, r3
    smlad   r5, r9, r11, r5
    .ifb \move
    ldr     r11, [r1, #\x + 4]
    .else
    ldr     r11, [r1, #4]
    .endif
    .endm

    /* all taps of a block; r0 is 8 bytes before its weights, and ends 8 bytes before their end, with the next two words in r6
     * and r7 */
    .macro hil_4x1_taps
    ldr     r1, [sp, #X_START]
    ldr     r6, [r0, #8]
    ldr     r12, [sp, #REST]
    ldr     r7, [r0, #12]
    ldr     r10, [r1]
    cmp.w   r12, #0
    ldr     r11, [r1, #4]
    beq.w   4f
3:  subs.w  r12, r12, #1
    hil_4x1_group 16, 8, !, 16
    bne.w   3b
    ldr     r12, [sp, #X_END]
    cmp.w   r1, r12
    beq.w   5f
4:  ldr     r12, [sp, #X_END]
3:  hil_4x1_group 16, 8
    hil_4x1_group 32, 16
    hil_4x1_group 48, 24
    hil_4x1_group 64, 32, !, 64
    cmp.w   r1, r12
    bne.w   3b
5:
    .endm
