/* Sums of carry-packed weights (gemm.py) of two pixels, scheduled for the Cortex-M7: every load beside a multiplication, 8
 * cycles for 16 products. Loads run ahead, up to 8 bytes beyond the weights and 12 beyond the columns.
 *
 * r2, r3 P of channels 0 and 1, first and second pixel; r4, r5 Q; r6..r9 the same of channels 2 and 3. At the start of a
 * step r10 holds the first word of weights, r12 and lr the two pixels' activations. */
#include "gemm_dsp_asm.h"

/* on the stack */
#define X_START 0
#define REST 4
#define OUT 8    /* of the first pixel */
#define APART 12 /* from it to the second's */
#define LAST 16  /* of four channels, of the first pixel */
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
    add     r12, sp, #OUT
    subs    r3, r3, r2
    adds    r6, r6, r2
    subs    r6, r6, #4
    stm     r12, {r2, r3, r6, r7, r8, r9, r10}
    ldr     r12, [r1]
    ldr     lr, [r1, #8]
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

    /* The first step of a block: P starts from r2 and r6, Q from r4 and r8, or from nothing (`bare`); r0 is 4
     * bytes before the weights, whose first word is in r10. */
    .macro hil_4x2_first_step bare
    smlad   r3, r10, lr, r2
    ldr     r11, [r0, #8]
    smlad   r2, r10, r12, r2
    sxtb16  r10, r10
    smlad   r7, r11, lr, r6
    smlad   r6, r11, r12, r6
    sxtb16  r11, r11
    .if \bare
    smuad   r4, r10, r12
    smuad   r8, r11, r12
    ldr     r12, [r1, #4]
    smuad   r5, r10, lr
    ldr     r10, [r0, #12]!
    smuad   r9, r11, lr
    .else
    smlad   r5, r10, lr, r4
    smlad   r4, r10, r12, r4
    smlad   r9, r11, lr, r8
    ldr     r10, [r0, #12]!
    smlad   r8, r11, r12, r8
    ldr     r12, [r1, #4]
    .endif
    ldr     lr, [r1, #12]
    .endm

    /* All taps of a block, four groups at once, from what hil_4x2_first_step starts with. r11 is the number of groups, shifted
     * left by 30; r0 ends after the weights, whose next word is in r10. */
    .macro hil_4x2_taps bare
    lsls    r11, r11, #1
    hil_4x2_first_step \bare
    bcs     1f
    bpl     3f
    b       6f
1:  bmi     4f
    b       5f
2:  hil_4x2_step 4
3:  hil_4x2_step 16
    hil_4x2_step 4
4:  hil_4x2_step 16
    hil_4x2_step 4
5:  hil_4x2_step 16
    hil_4x2_step 4
6:  hil_4x2_step 16
    cmp     r12, #HIL_COLUMNS_END
    bne.w   2b
    .endm
