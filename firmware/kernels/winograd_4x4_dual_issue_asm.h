/* Four output channels of two tiles of Winograd's F(4x4, 3x3), scheduled for the two pipelines of the Cortex-M7: every load beside a
 * multiplication, 8 cycles for 16 products. Loads run ahead, 8 bytes beyond the weights' and 4 beyond the tiles' last.
 *
 * As winograd_4x4_dsp_asm.h, but both tiles at once, and unrolled. */
#include "kernel_asm.h"
#include "requant_linear.h"
#include "winograd_asm.h"

/* on the stack, beneath the 36 positions: winograd_outputs as far as it has come, and the inverse of 9 */
#define FIRST 0
#define PIXEL 8
#define CHANNELS 16
#define INVERSE 20
#define SUMS 24
#define SECOND_BASE 512
/* and above them, winograd_outputs */
#define OUTPUTS (36 * 32)
#define FRAME (OUTPUTS + 20)

    /* Two input channels; w and v: where their words are. r10, r11 and r12 are loaded. */
    .macro hil_winograd_step w, v, first, last
    hil_winograd_mac r2, r10, r12, \first
    ldr.w   lr, [r1, #\v + 4]
    hil_winograd_mac r4, r11, r12, \first
    hil_winograd_mac r3, r10, lr, \first
    ldr.w   r10, [r0, #\w + 8]
    hil_winograd_mac r5, r11, lr, \first
    ldr.w   r11, [r0, #\w + 12]
    hil_winograd_mac r6, r10, r12, \first
    hil_winograd_mac r8, r11, r12, \first
    .if \last
    ldr.w   r12, [r1, #\v + 8]!
    .else
    ldr.w   r12, [r1, #\v + 8]
    .endif
    hil_winograd_mac r7, r10, lr, \first
    .if \last
    ldr.w   r10, [r0, #\w + 16]!
    hil_winograd_mac r9, r11, lr, \first
    ldr.w   r11, [r0, #4]
    .else
    ldr.w   r10, [r0, #\w + 16]
    hil_winograd_mac r9, r11, lr, \first
    ldr.w   r11, [r0, #\w + 20]
    .endif
    .endm

    /* \steps steps, but for the first one */
    .macro hil_winograd_rest steps
    .if \steps == 4
    hil_winograd_step 16, 8, 0, 0
    hil_winograd_step 32, 16, 0, 0
    hil_winograd_step 48, 24, 0, 1
    .else
    hil_winograd_step 16, 8, 0, 1
    .endif
    .endm

    /* both tiles' sums at a position; r12 is SECOND_BASE bytes after lr, as LDRD reaches 1020 */
    .macro hil_winograd_load a, b, at
    .if \at > 1020
    ldrd    \a, \b, [r12, #\at - SECOND_BASE]
    .else
    ldrd    \a, \b, [lr, #\at]
    .endif
    .endm

    .macro hil_winograd_save a, b, at
    .if \at > 1020
    strd    \a, \b, [r12, #\at - SECOND_BASE]
    .else
    strd    \a, \b, [lr, #\at]
    .endif
    .endm

    /* hil_winograd_out of six positions, `step` bytes from each to the one before, of two tiles: results in r0, r1; r4, r5; r6, r7;
     * r10, r11 */
    .macro hil_winograd_out_pair at, step
    hil_winograd_load r2, r3, (\at - \step)
    hil_winograd_load r4, r5, (\at - 2 * \step)
    hil_winograd_load r6, r7, (\at - 3 * \step)
    add.w   r2, r2, r4
    hil_winograd_load r8, r9, (\at - 4 * \step)
    add.w   r3, r3, r5
    sub.w   r4, r2, r4, lsl #1
    hil_winograd_load r0, r1, (\at)
    add.w   r6, r6, r8
    sub.w   r5, r3, r5, lsl #1
    hil_winograd_load r10, r11, (\at - 5 * \step)
    add.w   r7, r7, r9
    sub.w   r8, r6, r8, lsl #1
    sub.w   r9, r7, r9, lsl #1
    add.w   r0, r6, r0, lsl #1
    add.w   r10, r10, r8
    add.w   r1, r7, r1, lsl #1
    add.w   r11, r11, r9
    sub.w   r0, r0, r2, lsl #2
    sub.w   r6, r6, r2
    sub.w   r1, r1, r3, lsl #2
    sub.w   r7, r7, r3
    rsb.w   r10, r4, r10, lsl #1
    rsb.w   r11, r5, r11, lsl #1
    sub.w   r4, r8, r4, lsl #1
    sub.w   r5, r9, r5, lsl #1
    .endm

    .macro hil_winograd_column j
    hil_winograd_out_pair ((35 - \j) * 32), 192
    hil_winograd_save r0, r1, ((35 - \j) * 32)
    hil_winograd_save r4, r5, ((29 - \j) * 32)
    hil_winograd_save r6, r7, ((23 - \j) * 32)
    hil_winograd_save r10, r11, ((17 - \j) * 32)
    .endm

    /* Outputs of a row whose multiples are 2^k..2^(k - 2) of the sums', all but the last stored; r12 a pixel, r2 from the row's
     * last pixel but one to the next row, r8 and r9 the row's second pixels. */
    .macro hil_winograd_rounded k
    ldr.w   r12, [sp, #CHANNELS]
    ldr.w   r2, [sp, #INVERSE]
    ldr.w   r3, [r12]
    mul     r0, r0, r2
    mul     r1, r1, r2
    mul     r4, r4, r2
    add.w   r0, r3, r0, asr #\k - 1
    mul     r5, r5, r2
    add.w   r1, r3, r1, asr #\k - 1
    mul     r6, r6, r2
    add.w   r4, r3, r4, asr #\k - 2
    mul     r7, r7, r2
    add.w   r5, r3, r5, asr #\k - 2
    ldrd    r8, r9, [r12, #4]
    mul     r10, r10, r2
    add.w   r6, r3, r6, asr #\k - 3
    mul     r11, r11, r2
    add.w   r7, r3, r7, asr #\k - 3
    ldr.w   r12, [r12, #12]
    add.w   r10, r3, r10, asr #\k - 3
    smmlar  r2, r0, r8, r9
    add.w   r11, r3, r11, asr #\k - 3
    smmlar  r3, r1, r8, r9
    add.w   r0, r2, r0, asr #31
    smmlar  r2, r4, r8, r9
    add.w   r1, r3, r1, asr #31
    asr.w   r0, r0, r12
    smmlar  r3, r5, r8, r9
    add.w   r4, r2, r4, asr #31
    asr.w   r1, r1, r12
    ssat    r0, #8, r0, asr #1
    smmlar  r2, r6, r8, r9
    add.w   r5, r3, r5, asr #31
    asr.w   r4, r4, r12
    ssat    r1, #8, r1, asr #1
    smmlar  r3, r7, r8, r9
    add.w   r6, r2, r6, asr #31
    asr.w   r5, r5, r12
    ssat    r4, #8, r4, asr #1
    smmlar  r2, r10, r8, r9
    add.w   r7, r3, r7, asr #31
    asr.w   r6, r6, r12
    ssat    r5, #8, r5, asr #1
    smmlar  r3, r11, r8, r9
    ldrd    r8, r9, [sp, #FIRST]
    add.w   r10, r2, r10, asr #31
    asr.w   r7, r7, r12
    ssat    r6, #8, r6, asr #1
    add.w   r11, r3, r11, asr #31
    asr.w   r10, r10, r12
    ssat    r7, #8, r7, asr #1
    asr.w   r11, r11, r12
    ldrd    r12, r2, [sp, #PIXEL]
    ssat    r10, #8, r10, asr #1
    strb.w  r0, [r8]
    ssat    r11, #8, r11, asr #1
    strb.w  r1, [r9]
    strb.w  r4, [r8, r12]
    strb.w  r5, [r9, r12]
    strb.w  r6, [r8, r12, lsl #1]
    add.w   r8, r8, r12
    strb.w  r7, [r9, r12, lsl #1]
    add.w   r9, r9, r12
    .endm

    /* the same by requant_linear.py's line */
    .macro hil_winograd_line k
    ldr.w   r12, [sp, #CHANNELS]
    ldr.w   r2, [sp, #INVERSE]
    ldr.w   r3, [r12]
    ldr.w   r12, [r12, #4]
    mul     r0, r0, r2
    mul     r1, r1, r2
    mul     r4, r4, r2
    add.w   r0, r3, r0, lsl #HIL_LINEAR_SCALE_BITS - \k
    mul     r5, r5, r2
    add.w   r1, r3, r1, lsl #HIL_LINEAR_SCALE_BITS - \k
    mul     r6, r6, r2
    add.w   r4, r3, r4, lsl #HIL_LINEAR_SCALE_BITS - \k + 1
    mul     r7, r7, r2
    add.w   r5, r3, r5, lsl #HIL_LINEAR_SCALE_BITS - \k + 1
    mul     r10, r10, r2
    add.w   r6, r3, r6, lsl #HIL_LINEAR_SCALE_BITS - \k + 2
    mul     r11, r11, r2
    add.w   r7, r3, r7, lsl #HIL_LINEAR_SCALE_BITS - \k + 2
    smmul   r0, r0, r12
    add.w   r10, r3, r10, lsl #HIL_LINEAR_SCALE_BITS - \k + 2
    smmul   r1, r1, r12
    add.w   r11, r3, r11, lsl #HIL_LINEAR_SCALE_BITS - \k + 2
    smmul   r4, r4, r12
    ldr.w   r8, [sp, #FIRST]
    smmul   r5, r5, r12
    ldr.w   r9, [sp, #FIRST + 4]
    smmul   r6, r6, r12
    smmul   r7, r7, r12
    smmul   r10, r10, r12
    ldr.w   r2, [sp, #PIXEL + 4]
    smmul   r11, r11, r12
    ldr.w   r12, [sp, #PIXEL]
    ssat    r0, #8, r0, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r1, #8, r1, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    strb.w  r0, [r8]
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    strb.w  r1, [r9]
    ssat    r6, #8, r6, asr #HIL_LINEAR_FRACTION_BITS
    strb.w  r4, [r8, r12]
    ssat    r7, #8, r7, asr #HIL_LINEAR_FRACTION_BITS
    strb.w  r5, [r9, r12]
    ssat    r10, #8, r10, asr #HIL_LINEAR_FRACTION_BITS
    strb.w  r6, [r8, r12, lsl #1]
    add.w   r8, r8, r12
    ssat    r11, #8, r11, asr #HIL_LINEAR_FRACTION_BITS
    strb.w  r7, [r9, r12, lsl #1]
    add.w   r9, r9, r12
    .endm

    .macro hil_winograd_row i, k, last, requant
    hil_winograd_out_pair ((35 - 6 * \i) * 32), 32
    \requant \k
    strb.w  r10, [r8, r12, lsl #1]
    add.w   r8, r8, r2
    strb.w  r11, [r9, r12, lsl #1]
    add.w   r9, r9, r2
    .if !\last
    strd    r8, r9, [sp, #FIRST]
    add.w   r12, lr, #SECOND_BASE
    .endif
    .endm

    /* requant: hil_winograd_rounded or hil_winograd_line */
    .macro hil_winograd_block name, steps, requant
    hil_function \name
    push    {r4-r11, lr}
    ldm     r2, {r3-r7}
    push    {r3-r7}
    hil_stack_beyond 35 * 32
    ldr     r12, [r1]
    ldr     r10, [r0]
    ldr     r11, [r0, #4]
    .balign 4
1:  hil_winograd_step 0, 0, 1, 0
    b.w     3f
    .balign 4
2:  hil_winograd_step 0, 0, 0, 0
3:  hil_winograd_rest \steps
    cmp     r12, #HIL_WINOGRAD_END
    bne.w   2b
    push    {r2-r9}
    ldr     lr, [r1, #4]
    cmp     lr, #0
    ldr     r12, [r1, #8]!
    beq.w   1b
    add     r0, sp, #OUTPUTS
    ldm     r0, {r1-r5}
    movw    r6, #HIL_WINOGRAD_INVERSE & 0xffff
    movt    r6, #HIL_WINOGRAD_INVERSE >> 16
    mov     lr, sp
    push    {r1-r6}
    .balign 4
4:  add.w   r12, lr, #SECOND_BASE
    hil_winograd_column 0
    hil_winograd_column 1
    hil_winograd_column 2
    hil_winograd_column 3
    hil_winograd_column 4
    hil_winograd_column 5
    hil_winograd_row 0, 6, 0, \requant
    hil_winograd_row 1, 5, 0, \requant
    hil_winograd_row 2, 4, 0, \requant
    hil_winograd_row 3, 4, 1, \requant
    add.w   r12, r12, r2 /* four rows back, and one channel on */
    add.w   lr, lr, #8
    sub.w   r8, r8, r12, lsl #2
    sub.w   r9, r9, r12, lsl #2
    ldr.w   r3, [sp, #CHANNELS]
    add.w   r8, r8, #1
    add.w   r9, r9, #1
    strd    r8, r9, [sp, #FIRST]
    add.w   r3, r3, #16
    add.w   r2, sp, #SUMS + 32
    str.w   r3, [sp, #CHANNELS]
    cmp     lr, r2
    bne.w   4b
    add     sp, sp, #SUMS + FRAME
    pop     {r4-r11, pc}
    hil_end \name
    .endm
