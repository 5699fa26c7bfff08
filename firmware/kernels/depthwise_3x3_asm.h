/* DEPTHWISE_CONV_2D 3x3, stride 1 or 2 (HIL_STRIDE), int8, for cores with the DSP extension: the body of the M4's functions
 * and of the M7's (HIL_DUAL_ISSUE).
 *
 *     void NAME(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch, const NAME_shape *shape)
 *
 * The image is seen as lines v of elements u, whichever of rows and columns makes longer lines. Two channels (one, when
 * their number is odd) are copied, a window of lines at a time, into scratch as int16 in pairs along u:
 *
 *     pair of elements (2i, 2i+1) of channel k, line l of the window: the word at PAIR * i + SLOT * k + 4 * l
 *
 * Elements outside of the image are the input's zero point, written once: copying never touches them again. A strip is two
 * lines of outputs; its tiles are 2x2 outputs (depthwise_3x3_tile_s1_asm.h, _s2_asm.h). Tiles at an odd end store their
 * surplus outputs first, and the others over them; a last strip of one line has tiles of two outputs with stride 1. A channel's outputs only land on the same channel of what has been
 * copied already (harness/kernels/depthwise_3x3_dsp.py checks that), so the output may start at the input's first byte.
 *
 * A channel's record of words: three lines of weights, start value, multiplier. Of a line's bytes 0 and 2 become one pair of
 * int16, and 1 and 3 another. A positive multiplier is requant_linear.py's, and weights are taken times 256. A negative
 * one is the complement of requant.py's, and followed by addend and, in two bytes, right shift and doublings of the weights. */

#include "kernel_asm.h"
#include "requant_linear.h"

/* the shape, copied to the stack */
    .equ IN_U, 0            /* bytes from one element of a line to the next */
    .equ IN_V, 4            /* bytes from line to line */
    .equ LINES, 8           /* lines of the image */
    .equ PAD_V, 12          /* lines of padding before the first */
    .equ QUADS, 16          /* a line is copied as: one element to an odd place (LEAD), QUADS times four elements, */
    .equ LEAD, 20
    .equ TAIL, 24           /* two more (bit 0) and one to an even place (bit 1) */
    .equ FIRST, 28          /* place of the first word of those */
    .equ PAIRS, 32
    .equ ZERO, 36           /* the input's zero point, twice */
    .equ CHANNELS, 40
    .equ STEP, 44           /* channels at a time: 2 or 1 */
    .equ STRIPS, 48
    .equ ODD_V, 52          /* 1: the last strip has one line */
    .equ RUN, 56            /* TILE * whole tiles of a strip */
    .equ ODD_U, 60          /* 1: a strip ends with half a tile */
    .equ OUT_U, 64
    .equ OUT_V, 68
    .equ SHAPE, 72

/* where the function stands */
    .equ INPUT, 72          /* of this channel */
    .equ RECORD, 76
    .equ OUTPUT, 80
    .equ SCRATCH, 84
    .equ SOURCE, 88         /* next line to copy, and its number */
    .equ NUMBER, 92
    .equ LEFT, 96           /* strips of this channel, from this window on */
    .equ TARGET, 100        /* output of this window */
    .equ NUMBER_IN_STEP, 104 /* of the channel */
    .equ NEXT, 108          /* record of the channel after */
/* of a strip */
    .equ PLACE, 112
    .equ TO, 116
    .equ MORE, 120          /* strips of this window */
    .equ STEP_U, 124        /* steps to a tile's second column and line: 0 where they are surplus */
    .equ STEP_V, 128
    .equ START, 132
    .equ END, 136
    .equ MULTIPLIER, 140
    .equ ADDEND, 144
    .equ SHIFT, 148
    .equ HERE, 152          /* strips from here on, for the end of the image */
    .equ FRAME, 156

/* tile_sums: four sums of the tile at r12 (r0: first line, first column; r1: first line, second column; r2, r3: second
 * line) from the weights in r4-r9, the multiplier in r10, the loop's end in r11; r12 moves on. On the M7 what the first
 * multiplications need is loaded by the tile before, by open_tile. */
#if HIL_STRIDE == 1
#include "depthwise_3x3_tile_s1_asm.h"
#else
#include "depthwise_3x3_tile_s2_asm.h"
#endif
    .equ SLOT, 4 * LINES_HELD
    .equ PAIR, 2 * SLOT

/* outputs in r0-r3; flags: whether r12 is at the end; r10: output of the second column, r11: step to the second line */
    .macro linear_tile
    smmul r0, r0, r10
    smmul r1, r1, r10
    cmp.w r12, r11
#ifdef HIL_DUAL_ISSUE
    smmul r2, r2, r10
    ldr r11, [sp, #STEP_V]
    ssat r0, #8, r0, asr #HIL_LINEAR_FRACTION_BITS
    smmul r3, r3, r10
    ssat r1, #8, r1, asr #HIL_LINEAR_FRACTION_BITS
    ldr r10, [sp, #STEP_U]
    ssat r2, #8, r2, asr #HIL_LINEAR_FRACTION_BITS
    add.w r10, r10, lr
    ssat r3, #8, r3, asr #HIL_LINEAR_FRACTION_BITS
#else
    smmul r2, r2, r10
    smmul r3, r3, r10
    ldrd r10, r11, [sp, #STEP_U]
    ssat r0, #8, r0, asr #HIL_LINEAR_FRACTION_BITS
    ssat r1, #8, r1, asr #HIL_LINEAR_FRACTION_BITS
    ssat r2, #8, r2, asr #HIL_LINEAR_FRACTION_BITS
    add.w r10, r10, lr
    ssat r3, #8, r3, asr #HIL_LINEAR_FRACTION_BITS
#endif
    .endm

    /* Without a right shift sums are rounded once, and have no ties to mend. */
    .macro rounded_tile
    smmulr r0, r0, r10
    smmulr r1, r1, r10
    smmulr r2, r2, r10
    smmulr r3, r3, r10
    ldrd r10, r11, [sp, #ADDEND]
    cmp r11, #0
    itttt ne
    addne r0, r0, r0, asr #31
    addne r1, r1, r1, asr #31
    addne r2, r2, r2, asr #31
    addne r3, r3, r3, asr #31
    add r0, r0, r10
    add r1, r1, r10
    add r2, r2, r10
    add r3, r3, r10
    asr r0, r0, r11
    asr r1, r1, r11
    asr r2, r2, r11
    asr r3, r3, r11
    ldr r11, [sp, #END]
    cmp r12, r11
    ldrd r10, r11, [sp, #STEP_U]
    ssat r0, #8, r0
    ssat r1, #8, r1
    ssat r2, #8, r2
    ssat r3, #8, r3
    add r10, r10, lr
    .endm

    .macro store_tile
    strb r3, [r10, r11]
    strb r1, [r10]
    strb r2, [lr, r11]
    strb r0, [lr]
    rsb lr, lr, r10, lsl #1
    open_tile
    .endm

/* The strips of a window: r4-r9 weights; `requantize` is the macro that turns sums into outputs. With `lines` a strip of one
 * line is computed at .Lone_line, which comes back to .Lstrip_end. */
    .macro strips requantize, lines=0
1:
    /* where a strip is one line, its second line is surplus */
    ldrd r10, r11, [sp, #OUT_U]
    ldr r0, [sp, #HERE]
    ldr r1, [sp, #ODD_V]
    cmp r0, r1
    it eq
    moveq r11, #0
    strd r10, r11, [sp, #STEP_U]
    sub r0, r0, #1
    str r0, [sp, #HERE]
    ldr r12, [sp, #PLACE]
    ldr lr, [sp, #TO]
    ldr r10, [sp, #RUN]
    add r10, r12, r10
    str r10, [sp, #END]
    .if \lines
    cmp r11, #0
    beq.w .Lone_line
    .endif
    cmp r10, r12
    open_tile
    beq 3f
    .balign 4
2:
    tile_sums
    \requantize
    store_tile
    bne 2b
3:
    ldr r11, [sp, #ODD_U]
    ldr r0, [sp, #STEP_U]
    cmp r11, #0
    it ne
    cmpne r0, #0
    beq 4f
    /* once more, with a surplus second column */
    movs r0, #0
    str r0, [sp, #STEP_U]
    add r10, r12, #TILE
    str r10, [sp, #END]
    open_tile
    b 2b
    .if \lines
.Lstrip_end:
    .endif
4:
    ldrd r0, r1, [sp, #PLACE]
    ldrd r2, r3, [sp, #OUT_U]
    adds r0, #(4 * LINES_STRIP)
    add r1, r1, r3, lsl #1
    strd r0, r1, [sp, #PLACE]
    ldr r2, [sp, #MORE]
    subs r2, #1
    str r2, [sp, #MORE]
    bne 1b
    .endm

#if HIL_STRIDE == 1
    /* A strip of one line: r10 its end, which may be r12, r12 and lr its start. */
    .macro line_strip
.Lone_line:
    cmp r10, r12
    open_tile
    beq 3f
    .balign 4
2:
    line_sums
    smmul r0, r0, r10
    smmul r1, r1, r10
    cmp.w r12, r11
    ldr r10, [sp, #STEP_U]
    ssat r0, #8, r0, asr #HIL_LINEAR_FRACTION_BITS
    ssat r1, #8, r1, asr #HIL_LINEAR_FRACTION_BITS
    add.w r10, r10, lr
    strb r1, [r10]
    strb r0, [lr]
    rsb lr, lr, r10, lsl #1
    open_tile
    bne 2b
3:
    ldr r11, [sp, #ODD_U]
    ldr r0, [sp, #STEP_U]
    cmp r11, #0
    it ne
    cmpne r0, #0
    beq.w .Lstrip_end
    movs r0, #0
    str r0, [sp, #STEP_U]
    add r10, r12, #TILE
    str r10, [sp, #END]
    open_tile
    b 2b
    .endm
#endif

    .macro depthwise_3x3 name
hil_function \name
    push {r4-r11, lr}
    sub sp, sp, #FRAME
    ldr r12, [sp, #(FRAME + 36)]
    mov lr, sp
    movs r8, #(SHAPE / 12)
1:
    ldm r12!, {r4-r6}
    stm lr!, {r4-r6}
    subs r8, #1
    bne 1b
    stm lr, {r0-r3}

    ldr r4, [sp, #ZERO]
    ldr r12, [sp, #PAIRS]
    mov r5, r4
    mov r6, r4
    mov r7, r4
2:
    stm r3!, {r4-r7}
    stm r3!, {r4-r7}
    stm r3!, {r4-r7}
    stm r3!, {r4-r7}
#if HIL_STRIDE == 2
    stm r3!, {r4, r5}
#endif
    subs r12, #1
    bne 2b

.Lchannels\@:
    ldr r0, [sp, #PAD_V]
    ldr r1, [sp, #INPUT]
    ldr r2, [sp, #STRIPS]
    ldr r3, [sp, #OUTPUT]
    negs r0, r0
    ldr r4, [sp, #IN_V]
    mla r1, r4, r0, r1
    str r1, [sp, #SOURCE]
    str r0, [sp, #NUMBER]
    strd r2, r3, [sp, #LEFT]
    /* the first window is copied whole */
    ldr r11, [sp, #SCRATCH]
    cmp r2, #WINDOW
    it hi
    movhi r2, #WINDOW
    lsls r12, r2, #(LINES_STRIP / 2)
    adds r12, #LINES_SHARED

.Lcopy\@:
    /* r12 lines to r11 */
    ldr r0, [sp, #FIRST]
    ldr r3, [sp, #IN_U]
    add r11, r11, r0
    ldrd r10, lr, [sp, #SOURCE]
    lsls r4, r3, #1
    add r5, r3, r3, lsl #1
.Lline\@:
    ldr r6, [sp, #LINES]
    cmp lr, r6
    bhs .Lpadding\@
    mov r0, r10
    mov r1, r11
    ldr r6, [sp, #STEP]
    ldr r7, [sp, #LEAD]
    ldr r2, [sp, #QUADS]
    cmp r6, #1
    beq .Lsingle\@

    cbz r7, 3f
    ldrh r6, [r0]
    add r0, r0, r3
    sxtb r7, r6
    sxtb r6, r6, ror #8
    strh r7, [r1, #2]
    strh r6, [r1, #(SLOT + 2)]
    adds r1, #PAIR
3:
    cbz r2, 5f
    .balign 4
4:
    ldrh r6, [r0]
    ldrh r7, [r0, r3]
    ldrh r8, [r0, r4]
    ldrh r9, [r0, r5]
    add r0, r0, r3, lsl #2
    orr r6, r6, r7, lsl #16
    subs r2, #1
    sxtb16 r7, r6
    orr r8, r8, r9, lsl #16
    sxtb16 r6, r6, ror #8
    str r7, [r1]
    sxtb16 r9, r8
    str r6, [r1, #SLOT]
    sxtb16 r8, r8, ror #8
    str r9, [r1, #PAIR]
    str r8, [r1, #(PAIR + SLOT)]
    add.w r1, r1, #(2 * PAIR)
    bne 4b
5:
    ldr r2, [sp, #TAIL]
    lsrs r2, r2, #1
    bcc 6f
    ldrh r6, [r0]
    ldrh r7, [r0, r3]
    add r0, r0, r4
    orr r6, r6, r7, lsl #16
    sxtb16 r7, r6
    sxtb16 r6, r6, ror #8
    str r7, [r1]
    str r6, [r1, #SLOT]
    adds r1, #PAIR
6:
    cbz r2, .Lcopied\@
    ldrh r6, [r0]
    sxtb r7, r6
    sxtb r6, r6, ror #8
    strh r7, [r1]
    strh r6, [r1, #SLOT]
.Lcopied\@:
    ldr r6, [sp, #IN_V]
    adds r11, #4
    add lr, lr, #1
    add r10, r10, r6
    subs r12, #1
    bne .Lline\@
    strd r10, lr, [sp, #SOURCE]
    b .Lcompute\@

.Lsingle\@:
    cbz r7, 3f
    ldrsb r6, [r0]
    add r0, r0, r3
    strh r6, [r1, #2]
    adds r1, #PAIR
3:
    cbz r2, 5f
4:
    ldrb r6, [r0]
    ldrsb r7, [r0, r3]
    ldrb r8, [r0, r4]
    ldrsb r9, [r0, r5]
    add r0, r0, r3, lsl #2
    sxtb r6, r6
    sxtb r8, r8
    pkhbt r6, r6, r7, lsl #16
    pkhbt r8, r8, r9, lsl #16
    str r6, [r1]
    str r8, [r1, #PAIR]
    adds r1, #(2 * PAIR)
    subs r2, #1
    bne 4b
5:
    ldr r2, [sp, #TAIL]
    lsrs r2, r2, #1
    bcc 6f
    ldrsb r6, [r0]
    ldrsb r7, [r0, r3]
    add r0, r0, r4
    pkhbt r6, r6, r7, lsl #16
    str r6, [r1]
    adds r1, #PAIR
6:
    cmp r2, #0
    beq .Lcopied\@
    ldrsb r6, [r0]
    strh r6, [r1]
    b .Lcopied\@

.Lpadding\@:
    /* where the whole image is one window these lines still are what they were made */
    ldr r6, [sp, #STRIPS]
    cmp r6, #WINDOW
    bls .Lcopied\@
    ldr r6, [sp, #FIRST]
    ldrd r2, r7, [sp, #PAIRS]
    sub r1, r11, r6
7:
    str r7, [r1, #SLOT]
    str r7, [r1], #PAIR
    subs r2, #1
    bne 7b
    b .Lcopied\@

.Lcompute\@:
    movs r0, #0
    ldr r1, [sp, #RECORD]
    strd r0, r1, [sp, #NUMBER_IN_STEP]
.Lchannel\@:
    /* slot in r0, record in r1 */
    ldr r2, [sp, #SCRATCH]
    ldrd r4, r5, [sp, #LEFT]
    movs r3, #SLOT
    mla r2, r0, r3, r2
    add r5, r5, r0
    strd r2, r5, [sp, #PLACE]
    str r4, [sp, #HERE]
    cmp r4, #WINDOW
    it hi
    movhi r4, #WINDOW
    str r4, [sp, #MORE]
    ldm r1!, {r4, r6, r8, r10, r11}
    str r10, [sp, #START]
    cmp r11, #0
    blt .Lrounded\@
    str r1, [sp, #NEXT]
    str r11, [sp, #MULTIPLIER]
    mov r0, #0xff00ff00
    and r5, r0, r4
    and r4, r0, r4, lsl #8
    and r7, r0, r6
    and r6, r0, r6, lsl #8
    and r9, r0, r8
    and r8, r0, r8, lsl #8
    strips linear_tile, LINE_TILES
.Lnext\@:
    ldrd r0, r1, [sp, #NUMBER_IN_STEP]
    ldr r2, [sp, #STEP]
    adds r0, #1
    str r0, [sp, #NUMBER_IN_STEP]
    cmp r0, r2
    bne .Lchannel\@

    /* the next window of these channels, or the next channels */
    ldrd r4, r5, [sp, #LEFT]
    subs r4, #WINDOW
    bls .Lnext_channels\@
    ldr r6, [sp, #OUT_V]
    movs r7, #(2 * WINDOW)
    mla r5, r6, r7, r5
    strd r4, r5, [sp, #LEFT]
    /* its first lines are this one's last */
    ldr r11, [sp, #SCRATCH]
    ldr r2, [sp, #PAIRS]
    mov r0, r11
8:
#if HIL_STRIDE == 1
    ldrd r6, r7, [r0, #(SLOT - 8)]
    ldrd r8, r9, [r0, #(PAIR - 8)]
    strd r6, r7, [r0]
    strd r8, r9, [r0, #SLOT]
#else
    ldr r6, [r0, #(SLOT - 4)]
    ldr r7, [r0, #(PAIR - 4)]
    str r6, [r0]
    str r7, [r0, #SLOT]
#endif
    adds r0, #PAIR
    subs r2, #1
    bne 8b
    cmp r4, #WINDOW
    it hi
    movhi r4, #WINDOW
    adds r11, #(4 * LINES_SHARED)
    lsl r12, r4, #(LINES_STRIP / 2)
    b .Lcopy\@

.Lnext_channels\@:
    str r1, [sp, #RECORD]
    ldr r3, [sp, #INPUT]
    ldr r4, [sp, #OUTPUT]
    add r3, r3, r2
    add r4, r4, r2
    str r3, [sp, #INPUT]
    str r4, [sp, #OUTPUT]
    ldr r5, [sp, #CHANNELS]
    subs r5, r5, r2
    str r5, [sp, #CHANNELS]
    bne .Lchannels\@
    add sp, sp, #FRAME
    pop {r4-r11, pc}

.Lrounded\@:
    ldm r1!, {r2, r3}
    str r1, [sp, #NEXT]
    mvns r11, r11
    str r11, [sp, #MULTIPLIER]
    uxtb r0, r3
    strd r2, r0, [sp, #ADDEND]
    sxtb16 r5, r4, ror #8
    sxtb16 r4, r4
    sxtb16 r7, r6, ror #8
    sxtb16 r6, r6
    sxtb16 r9, r8, ror #8
    sxtb16 r8, r8
    lsrs r3, r3, #8
9:
    sadd16 r4, r4, r4
    sadd16 r5, r5, r5
    sadd16 r6, r6, r6
    sadd16 r7, r7, r7
    sadd16 r8, r8, r8
    sadd16 r9, r9, r9
    subs r3, #1
    bne 9b
    strips rounded_tile
    b .Lnext\@
#if HIL_STRIDE == 1
    line_strip
#endif
hil_end \name
    .endm
