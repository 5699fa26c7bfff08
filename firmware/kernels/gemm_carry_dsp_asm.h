/* Sums of carry-packed weights (gemm.py) in the order that suits the Cortex-M4: loads in one chain, opcodes of 32 bits. */

    /* Two pixels. r2 P of channels 0 and 1, r3 Q, r4 P of 2 and 3, r5 Q; r6..r9 the same of the second pixel. Words of weights
     * are in r10 and r11, of activations in r12 and lr. */
    .macro hil_4x2_macs
    smlad   r2, r10, r12, r2
    smlad   r6, r10, lr, r6
    sxtb16  r10, r10
    smlad   r4, r11, r12, r4
    smlad   r8, r11, lr, r8
    sxtb16  r11, r11
    smlad   r3, r10, r12, r3
    smlad   r7, r10, lr, r7
    smlad   r5, r11, r12, r5
    smlad   r9, r11, lr, r9
    .endm

    /* The first of a block: sums start from r2 and r4, and Q from r3 and r5, or from nothing (`bare`). */
    .macro hil_4x2_first_macs bare
    smlad   r6, r10, lr, r2
    smlad   r2, r10, r12, r2
    sxtb16  r10, r10
    smlad   r8, r11, lr, r4
    smlad   r4, r11, r12, r4
    sxtb16  r11, r11
    .if \bare
    smuad   r7, r10, lr
    smuad   r3, r10, r12
    smuad   r9, r11, lr
    smuad   r5, r11, r12
    .else
    smlad   r7, r10, lr, r3
    smlad   r3, r10, r12, r3
    smlad   r9, r11, lr, r5
    smlad   r5, r11, r12, r5
    .endif
    .endm

    .macro hil_4x2_load w, x
    ldr     r10, [r0, #\w]
    ldr     r11, [r0, #\w + 4]
    ldr     r12, [r1, #\x]
    ldr     lr, [r1, #\x + 8]
    .endm

    /* an instruction less, a cycle more */
    .macro hil_4x2_load_pair w, x
    ldrd    r10, r11, [r0, #\w]
    ldr     r12, [r1, #\x]
    ldr     lr, [r1, #\x + 8]
    .endm

    /* All taps of a block; r0 is at its weights, and ends after them. The first four loads of a round end the one before, so
     * that what follows the columns can end the loop. r10 and r11 end as the two words after the weights. */
    .macro hil_4x2_taps bare
    ldrd    r1, r10, [sp, #X_START]
    cmp.w   r10, #0
    hil_4x2_load 0, 0
    hil_4x2_first_macs \bare
    beq.w   4f
    sub.w   r0, r0, #16
    sub.w   r1, r1, #16
    b.w     5f
3:  hil_4x2_macs
4:  hil_4x2_load_pair 8, 4
    hil_4x2_macs
    hil_4x2_load 16, 16
    hil_4x2_macs
5:  hil_4x2_load_pair 24, 20
    hil_4x2_macs
    ldr     r11, [r0, #36]
    ldr     r10, [r0, #32]!
    ldr     lr, [r1, #40]
    ldr     r12, [r1, #32]!
    cmp.w   r12, #HIL_COLUMNS_END
    bne     3b
    .endm

    /* One pixel. Four taps xa, xb; r2 P of channels 0 and 1, r3 Q, r4 P of 2 and 3, r5 Q. */
    .macro hil_4x1_group xa, xb
    ldm     r0!, {r6-r9}
    smlad   r2, r6, \xa, r2
    sxtb16  r6, r6
    smlad   r4, r7, \xa, r4
    sxtb16  r7, r7
    smlad   r3, r6, \xa, r3
    smlad   r5, r7, \xa, r5
    smlad   r2, r8, \xb, r2
    sxtb16  r8, r8
    smlad   r4, r9, \xb, r4
    sxtb16  r9, r9
    smlad   r3, r8, \xb, r3
    smlad   r5, r9, \xb, r5
    .endm

    /* all taps of a block; r0 is at its weights, and ends after them */
    .macro hil_4x1_taps
    ldrd    r1, r6, [sp, #X_START]
    cbz     r6, 4f
    mov     r12, r6
3:  ldrd    r10, r11, [r1], #8
    hil_4x1_group r10, r11
    subs.w  r12, r12, #1
    bne.w   3b
    ldr     lr, [sp, #X_END]
    cmp.w   r1, lr
    beq.w   5f
4:  .rept   4
    ldm     r1!, {r10, r11, r12, lr}
    hil_4x1_group r10, r11
    hil_4x1_group r12, lr
    .endr
    ldr     lr, [sp, #X_END]
    cmp     r1, lr
    bne.w   4b
5:
    .endm
