/* depthwise_quads_dsp.h */
#include "kernel_asm.h"
#include "requant_linear.h"

/* on the stack */
#define ROWS 0
#define COLUMNS 4
#define X_GAP 8
#define W_GAP 12
#define W_FIRST 16
#define W_AFTER 20
#define LEFT 24 /* channels */
#define OUT 28
#define INPUT 32
#define FRAME 36

    /* A tap's products are added to the sums in r4..r7. r3: minus the zero point, twice; r8..r11 are lost. */
    .macro hil_quad_tap x:vararg
    ldr.w   r8, [r0\x]
    ldr.w   r9, [r1], #4
    sxtab16 r10, r3, r8
    sxtab16 r8, r3, r8, ror #8
    sxtb16  r11, r9
    sxtb16  r9, r9, ror #8
    smlabb  r4, r10, r11, r4
    smlatt  r6, r10, r11, r6
    smlabb  r5, r8, r9, r5
    smlatt  r7, r8, r9, r7
    .endm

    /* channels without a right shift round once, and have no ties to mend */
    .macro hil_quad_rounded sum, multiplier
    ldrd    lr, r12, [r1], #8
    lsl     \sum, \sum, r12
    lsrs    r12, r12, #8
    smmlar  \multiplier, \sum, \multiplier, lr
    it      ne
    addne   \multiplier, \multiplier, \sum, asr #31
    asr     \multiplier, \multiplier, r12
    ssat    \sum, #8, \multiplier
    .endm

    hil_function depthwise_quads_dsp
    push    {r4-r11, lr}
    sub     sp, sp, #FRAME
    ldm     r3, {r3-r11}            /* r10 bytes from tap to tap, r11 the zero point */
    stm     sp, {r3-r9}
    strd    r2, r0, [sp, #OUT]
    mov     r2, r10
    mov     r3, r11
.Lquad:
    ldr     r8, [sp, #W_FIRST]
    ldr     r12, [sp, #ROWS]
    mov     r4, #0
    mov     r5, #0
    mov     r6, #0
    mov     r7, #0
    add     r1, r1, r8
    cmp     r12, #0
    beq     .Lsums
.Lrow:
    ldr     lr, [sp, #COLUMNS]
    lsrs    lr, lr, #1
    bcc     2f
    hil_quad_tap
    add     r0, r0, r2
2:  beq     4f
    .balign 4
3:  hil_quad_tap
    hil_quad_tap , r2
    add.w   r0, r0, r2, lsl #1
    subs.w  lr, lr, #1
    bne     3b
4:  ldrd    r8, r9, [sp, #X_GAP]
    subs    r12, r12, #1
    add     r0, r0, r8
    add     r1, r1, r9
    bne     .Lrow
.Lsums:
    ldr     r8, [sp, #W_AFTER]
    add     r1, r1, r8
    ldr     r12, [r1, #16]
    ldm     r1!, {r8-r11}
    cmp     r12, #0
    blt     .Lrounded
    add     r8, r8, r4, lsl #HIL_LINEAR_SCALE_BITS
    add     r9, r9, r5, lsl #HIL_LINEAR_SCALE_BITS
    add     r10, r10, r6, lsl #HIL_LINEAR_SCALE_BITS
    add     r11, r11, r7, lsl #HIL_LINEAR_SCALE_BITS
    ldm     r1!, {r4-r7}
    smmul   r4, r4, r8
    smmul   r5, r5, r9
    smmul   r6, r6, r10
    smmul   r7, r7, r11
    ssat    r4, #8, r4, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r5, #8, r5, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r6, #8, r6, asr #HIL_LINEAR_FRACTION_BITS
    ssat    r7, #8, r7, asr #HIL_LINEAR_FRACTION_BITS
.Lstore:
    ldrd    r8, r9, [sp, #LEFT]
    bfi     r4, r5, #8, #8
    subs    r8, r8, #4
    bfi     r4, r6, #16, #8
    bfi     r4, r7, #24, #8
    str     r4, [r9]
    ble     .Ldone
    ldr     r0, [sp, #INPUT]
    mov     r10, #4
    cmp     r8, #4
    it      lt
    movlt   r10, r8
    add     r0, r0, r10
    add     r9, r9, r10
    strd    r8, r9, [sp, #LEFT]
    str     r0, [sp, #INPUT]
    b       .Lquad
.Ldone:
    add     sp, sp, #FRAME
    pop     {r4-r11, pc}
.Lrounded:
    add     r4, r4, r8
    add     r5, r5, r9
    add     r6, r6, r10
    add     r7, r7, r11
    ldm     r1!, {r8-r11}
    mvn     r8, r8
    hil_quad_rounded r4, r8
    hil_quad_rounded r5, r9
    hil_quad_rounded r6, r10
    hil_quad_rounded r7, r11
    b       .Lstore
    hil_end depthwise_quads_dsp
