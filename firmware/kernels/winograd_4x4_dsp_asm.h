/* Four output channels of two tiles of Winograd's F(4x4, 3x3), for the Cortex-M4 and M33: 14 instructions for 16 products.
 *
 * 36 positions, each a sum over all input channels, are pushed onto the stack, the last one lowest. A^T on columns, of both
 * tiles, then on rows and requantization make 16 outputs of them, for one channel of one tile after the other. Loops are small enough for the STM32L4's
 * instruction cache of 1 KiB. */
#include "kernel_asm.h"
#include "requant_linear.h"
#include "winograd_asm.h"

/* on the stack, beneath the 36 positions */
#define HERE 0 /* the channel's and tile's first word */
#define SUMS 4
/* and above them, winograd_outputs */
#define TILES (SUMS + 36 * 32)
#define PIXEL (TILES + 8)
#define CHANNELS (TILES + 16)
#define FRAME (TILES + 20)

    /* Two input channels; w and v: where their words are, the first of which are loaded. */
    .macro hil_winograd_step w, v, first, last
    hil_winograd_mac r2, r10, r12, \first
    hil_winograd_mac r3, r10, lr, \first
    hil_winograd_mac r4, r11, r12, \first
    hil_winograd_mac r5, r11, lr, \first
    ldr.w   r10, [r0, #\w + 8]
    ldr.w   r11, [r0, #\w + 12]
    hil_winograd_mac r6, r10, r12, \first
    hil_winograd_mac r7, r10, lr, \first
    hil_winograd_mac r8, r11, r12, \first
    hil_winograd_mac r9, r11, lr, \first
    .if \last
    ldr.w   r11, [r0, #\w + 20]
    ldr.w   lr, [r1, #\v + 12]
    ldr.w   r10, [r0, #\w + 16]!
    ldr.w   r12, [r1, #\v + 8]!
    .else
    ldr.w   r10, [r0, #\w + 16]
    ldr.w   r11, [r0, #\w + 20]
    ldr.w   r12, [r1, #\v + 8]
    ldr.w   lr, [r1, #\v + 12]
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

    /* requant: hil_winograd_rounded or hil_winograd_line */
    .macro hil_winograd_block name, steps, requant
    hil_function \name
    push    {r4-r11, lr}
    ldm     r2, {r3-r7}
    push    {r3-r7}
    hil_stack_beyond 35 * 32
    ldr     r12, [r1]
    ldr     lr, [r1, #4]
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
    cmp     lr, #0
    ldr     r12, [r1, #8]!
    ldr     lr, [r1, #4]
    beq.w   1b
    mov     lr, sp
    sub     sp, sp, #SUMS
4:  str     lr, [sp, #HERE]
    add     lr, lr, #160
    mov     r12, #6
    .balign 4
5:  ldrd    r2, r3, [lr, #768] /* a column of both tiles */
    ldrd    r4, r5, [lr, #576]
    ldrd    r6, r7, [lr, #384]
    ldrd    r8, r9, [lr, #192]
    ldrd    r0, r1, [lr, #960]
    ldrd    r10, r11, [lr]
    hil_winograd_out r0, r2, r4, r6, r8, r10
    hil_winograd_out r1, r3, r5, r7, r9, r11
    str.w   r0, [lr, #576]
    str.w   r1, [lr, #580]
    str.w   r4, [lr, #384]
    str.w   r5, [lr, #388]
    str.w   r6, [lr, #192]
    str.w   r7, [lr, #196]
    str.w   r11, [lr, #4]
    str.w   r10, [lr], #-32
    subs.w  r12, r12, #1
    bne.w   5b
7:  hil_winograd_constants
    .balign 4
6:  ldr.w   r2, [lr, #160] /* a row */
    ldr.w   r3, [lr, #128]
    ldr.w   r4, [lr, #96]
    ldr.w   r5, [lr, #64]
    ldr.w   r6, [lr, #32]
    ldr.w   r7, [lr], #-192
    hil_winograd_out r2, r3, r4, r5, r6, r7
    \requant r2, 5, r4, 4, r3, r6
    strb    r3, [r0]
    strb    r6, [r0, r1]
    \requant r5, 3, r7, 3, r3, r6
    strb    r3, [r0, r1, lsl #1]
    ldr     r3, [sp, #PIXEL + 4]
    add     r0, r0, r1
    strb    r6, [r0, r1, lsl #1]
    add     r0, r0, r3
    tst     r12, #0x200
    it      ne
    lslne   r8, r8, #1
    subs    r12, r12, #0x100
    bpl     6b
    ldr     lr, [sp, #HERE]
    add     lr, lr, #4
    str     lr, [sp, #HERE]
    tst     lr, #4
    bne.w   7b
    add     r0, sp, #SUMS + 32
    cmp     lr, r0
    bne.w   4b
    add     sp, sp, #FRAME
    pop     {r4-r11, pc}
    hil_end \name
    .endm

    /* r0 the output, r1 a pixel, r8 the inverse of 9, r9..r12 the channel's constants, the byte above the shift 3: rows that
     * are left; lr the first row. */
    .macro hil_winograd_constants
    ldr     r3, [sp, #HERE]
    add     lr, r3, #576
    mov     r4, sp
    subs    r3, r3, r4
    subs    r3, r3, #SUMS /* 8 * channel + 4 * tile */
    and     r4, r3, #4
    add     r5, sp, r4
    ldr     r0, [r5, #TILES]
    add     r0, r0, r3, lsr #3
    subs    r3, r3, r4
    ldr     r4, [sp, #CHANNELS]
    add     r4, r4, r3, lsl #1
    ldm     r4, {r9-r12}
    orr     r12, r12, #0x300
    ldr     r1, [sp, #PIXEL]
    movw    r8, #HIL_WINOGRAD_INVERSE & 0xffff
    movt    r8, #HIL_WINOGRAD_INVERSE >> 16
    .endm

    /* two sums, the multiple of which the columns and `a` and `b` shift out but for a doubling -> x, y */
    .macro hil_winograd_rounded a, a_shift, b, b_shift, x, y
    mul     \a, \a, r8
    mul     \b, \b, r8
    add.w   \a, r9, \a, asr #\a_shift
    add.w   \b, r9, \b, asr #\b_shift
    smmlar  \x, \a, r10, r11
    smmlar  \y, \b, r10, r11
    add.w   \x, \x, \a, asr #31
    add.w   \y, \y, \b, asr #31
    asr.w   \x, \x, r12
    asr.w   \y, \y, r12
    ssat    \x, #8, \x, asr #1
    ssat    \y, #8, \y, asr #1
    .endm

    /* the same by requant_linear.py's line, of which r9 is the start and r10 the multiplier: sums times 256 */
    .macro hil_winograd_line a, a_shift, b, b_shift, x, y
    mul     \a, \a, r8
    mul     \b, \b, r8
    add.w   \a, r9, \a, lsl #HIL_LINEAR_SCALE_BITS - 1 - \a_shift
    add.w   \b, r9, \b, lsl #HIL_LINEAR_SCALE_BITS - 1 - \b_shift
    smmul   \x, \a, r10
    smmul   \y, \b, r10
    ssat    \x, #8, \x, asr #HIL_LINEAR_FRACTION_BITS
    ssat    \y, #8, \y, asr #HIL_LINEAR_FRACTION_BITS
    .endm
