/* winograd_transform_dsp.h */
#include "kernel_asm.h"
#include "winograd_asm.h"

    /* d0..d5 -> B^T d: 4 d0 - 5 d2 + d4 in d0, (d4 - 4 d2) + (d3 - 4 d1) in d3 and their difference in d1, (d4 - d2) +
     * 2 (d3 - d1) in d2 and their difference in d4, 4 d1 - 5 d3 + d5 in d5 */
    .macro hil_winograd_in d0, d1, d2, d3, d4, d5, tmp
    sub.w   \tmp, \d4, \d2
    sub.w   \d0, \d0, \d2
    sub.w   \d2, \d4, \d2, lsl #2
    sub.w   \d5, \d5, \d3
    sub.w   \d4, \d3, \d1
    sub.w   \d1, \d3, \d1, lsl #2
    add.w   \d0, \tmp, \d0, lsl #2
    add.w   \d3, \d2, \d1
    sub.w   \d5, \d5, \d4, lsl #2
    sub.w   \d1, \d2, \d1
    add.w   \d2, \tmp, \d4, lsl #1
    sub.w   \d4, \tmp, \d4, lsl #1
    .endm

    /* r0 columns, r1 and r7 rows 0 and 3, r2 pixels, r3 bytes a pixel, r4 128 in both lanes, r5 bytes a row */
    .macro hil_winograd_column turn
    ldr.w   r6, [r1]
    ldr.w   r9, [r1, r5]
    ldr.w   r10, [r1, r5, lsl #1]
    ldr.w   r8, [r7]
    ldr.w   r11, [r7, r5]
    ldr.w   r12, [r7, r5, lsl #1]
    sxtab16 r6, r4, r6, ror #\turn
    sxtab16 r9, r4, r9, ror #\turn
    sxtab16 r10, r4, r10, ror #\turn
    sxtab16 r8, r4, r8, ror #\turn
    sxtab16 r11, r4, r11, ror #\turn
    sxtab16 r12, r4, r12, ror #\turn
    hil_winograd_in r6, r9, r10, r8, r11, r12, lr
    stm     r0!, {r6, r8-r12}
    .endm

    hil_function winograd_columns_dsp
    push    {r4-r11, lr}
    mul     r5, r2, r3
    mov     r4, #0x00800080
    add     r7, r5, r5, lsl #1
    add     r7, r7, r1
    .balign 4
1:  hil_winograd_column 0
    hil_winograd_column 8
    add.w   r1, r1, r3
    add.w   r7, r7, r3
    subs.w  r2, r2, #1
    bne.w   1b
    pop     {r4-r11, pc}
    hil_end winograd_columns_dsp

    /* one tile: added up lanes become int16 beside each other; r0 and r11 positions 0 and 3, r3 bytes a position */
    .macro hil_winograd_tile at
    ldr.w   r8, [r1, #\at + 192]
    ldr.w   r6, [r1, #\at + 96]
    ldr.w   r9, [r1, #\at + 240]
    ldr.w   r7, [r1, #\at + 144]
    add.w   r8, r8, #0x8000
    ldr.w   r4, [r1, #\at]
    add.w   r9, r9, #0x8000
    ldr.w   r5, [r1, #\at + 48]
    hil_winograd_in r4, r5, r6, r7, r8, r9, r10
    eor.w   r4, r4, #0x8000
    eor.w   r7, r7, #0x8000
    str.w   r4, [r0]
    eor.w   r5, r5, #0x8000
    str.w   r7, [r0, r3]
    eor.w   r6, r6, #0x8000
    str.w   r5, [r0, r3, lsl #1]
    eor.w   r8, r8, #0x8000
    str.w   r6, [r11]
    eor.w   r9, r9, #0x8000
    str.w   r8, [r11, r3]
    str.w   r9, [r11, r3, lsl #1]
    .endm

    /* on the stack: tiles, columns, pairs, rows that are left */
    hil_function winograd_rows_dsp
    push    {r0-r2, r4-r11, lr}
    mov     r12, #36
    mul     r12, r12, r3
    sub     r12, r12, #4
    mov     lr, #12
1:  add     r11, r3, r3, lsl #1
    add     r11, r11, r0
    .balign 4
2:  hil_winograd_tile 0
    add.w   r0, r0, #4
    add.w   r11, r11, #4
    hil_winograd_tile 192
    add.w   r0, r0, r12
    add.w   r11, r11, r12
    add.w   r1, r1, #384
    subs.w  r2, r2, #1
    bne.w   2b
    ldm     sp, {r0-r2}
    add     r1, r1, #4
    add     r4, r3, r3, lsl #1
    add     r0, r0, r4, lsl #1
    cmp     lr, #7
    ittt    eq /* the other pair of channels */
    rsbeq   r4, r4, r4, lsl #2
    subeq   r0, r0, r4, lsl #2
    addeq   r0, r0, #8
    stm     sp, {r0, r1}
    subs    lr, lr, #1
    bne.w   1b
    add     sp, sp, #12
    pop     {r4-r11, pc}
    hil_end winograd_rows_dsp

    /* r4, r5, r6 = g0, g1, g2 -> G g in r6..r11: 3 g0, g0 + g1 + g2, g0 - g1 + g2, g0 + 2 g1 + 4 g2, g0 - 2 g1 + 4 g2, 3 g2 */
    .macro hil_winograd_taps
    sadd16  r10, r6, r6
    sadd16  r8, r4, r6
    sadd16  r9, r4, r4
    sadd16  r11, r10, r6
    sadd16  r10, r10, r10
    sadd16  r7, r8, r5
    sadd16  r6, r9, r4
    ssub16  r8, r8, r5
    sadd16  r10, r4, r10
    sadd16  r5, r5, r5
    sadd16  r9, r10, r5
    ssub16  r10, r10, r5
    .endm

    /* two of four channels; r0 their word of position 0, r1 their taps, r3 bytes a position, an eighth of which is a tap's,
     * r12 bytes of three taps */
    .macro hil_winograd_pair turn
    .rept   3
    ldr.w   r6, [r1, r12, lsl #1]
    ldr.w   r5, [r1, r12]
    ldr.w   r4, [r1]
    add.w   r1, r1, r3, lsr #3
    sxtb16  r6, r6, ror #\turn
    sxtb16  r5, r5, ror #\turn
    sxtb16  r4, r4, ror #\turn
    hil_winograd_taps
    push    {r6-r11}
    .endr
    mov     lr, #3
    .balign 4
3:
    .rept   2
    ldr.w   r4, [sp, #48]
    ldr.w   r5, [sp, #24]
    ldr.w   r6, [sp], #4
    hil_winograd_taps
    str.w   r6, [r0]
    add.w   r5, r0, r3
    str.w   r7, [r0, r3]
    str.w   r8, [r0, r3, lsl #1]
    str.w   r9, [r0, r12, lsl #3]
    str.w   r10, [r0, r3, lsl #2]
    str.w   r11, [r5, r3, lsl #2]
    add.w   r0, r0, r12, lsl #4
    .endr
    subs.w  lr, lr, #1
    bne.w   3b
    add     sp, sp, #48
    sub     r0, r0, r12, lsl #5
    sub     r0, r0, r12, lsl #6
    sub     r1, r1, r12
    add     r0, r0, #16
    .endm

    hil_function winograd_weights_dsp
    push    {r4-r11, lr}
    lsl     r3, r2, #5
    lsl     r12, r2, #2
    add     r12, r12, r12, lsl #1
1:  hil_winograd_pair 0
    hil_winograd_pair 8
    add     r1, r1, #4
    subs    r2, r2, #1
    bne.w   1b
    pop     {r4-r11, pc}
    hil_end winograd_weights_dsp
