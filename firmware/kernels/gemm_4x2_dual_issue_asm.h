/* Sums of carry-packed weights (gemm.py) of two pixels, scheduled for the Cortex-M7: every load beside a multiplication, 8
 * cycles for 16 products. Loads run ahead, up to 8 bytes beyond the weights and 12 beyond the columns.
 *
 * r2, r3 P of channels 0 and 1, first and second pixel; r4, r5 Q; r6..r9 the same of channels 2 and 3. At the start of a
 * step r10 holds the first word of weights, r12 and lr the two pixels' activations. */
#include "gemm_dsp_asm.h"

/* on the stack */
#define X_START 0
#define REST 4
#define OUT0 8
#define OUT1 12
#define LEFT 16
#define OFFSET 20
#define CLAMPED 24
#define LOW 28
#define HIGH 32
#define FRAME 36

    .macro hil_4x2_enter
    push    {r4-r11, lr}
    ldr     r4, [sp, #36]
    sub     sp, sp, #FRAME
    ldm     r4, {r5-r10}
    lsl     r5, r5, #30
    strd    r1, r5, [sp, #X_START]
    add     r12, sp, #OUT0
    stm     r12, {r2, r3, r6, r7, r8, r9, r10}
    .endm

    /* x: where the next activations are */
    .macro hil_4x2_step x
    smlad   r2, r10, r12, r2
    ldr     r11, [r0, #4]
    smlad   r3, r10, lr, r3
    sxtb16  r10, r10
    smlad   r6, r11, r12, r6
    smlad   r7, r11, lr, r7
    sxtb16  r11, r11
    smlad   r4, r10, r12, r4
    smlad   r8, r11, r12, r8
    .if \x == 16
    ldr     r12, [r1, #16]!
    .else
    ldr     r12, [r1, #\x]
    .endif
    smlad   r5, r10, lr, r5
    ldr     r10, [r0, #8]!
    smlad   r9, r11, lr, r9
    ldr     lr, [r1, #(\x + 8) % 16]
    .endm

    .macro hil_4x2_group
    hil_4x2_step 4
    hil_4x2_step 16
    .endm

    /* All taps of a block, four groups at once. r11 is the number of groups, shifted left by 30; r0 ends after the weights,
     * whose next word is in r10. */
    .macro hil_4x2_taps
    lsls    r11, r11, #1
    bcc     4f
    bmi     1f
    b       2f
4:  bmi     5f
3:  hil_4x2_group
1:  hil_4x2_group
2:  hil_4x2_group
5:  hil_4x2_group
    cmp     r12, #HIL_COLUMNS_END
    bne.w   3b
    .endm
