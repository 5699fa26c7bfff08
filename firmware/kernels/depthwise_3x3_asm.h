/* DEPTHWISE_CONV_2D 3x3, stride 1, int8, for cores with the DSP extension: the body of the M4's and the M7's function.
 *
 *     void NAME(const int8_t *input, const int32_t *weights, int8_t *output, int8_t *scratch, const NAME_shape *shape)
 *
 * The image is seen as lines v of elements u, whichever of rows and columns makes longer lines. Two channels (one, when
 * their number is odd) are copied, a window of eight lines at a time, into scratch as int16 in pairs along u:
 *
 *     pair of elements (2i, 2i+1) of channel k, line l of the window: the word at 64 i + 32 k + 4 l
 *
 * Elements outside of the image are the input's zero point, written once: copying never touches them again. A strip is two
 * lines of outputs; its tiles are 2x2 outputs from four lines of two words. With A = (x0, x1), B = (x2, x3) and the
 * weights of a line as overlapping pairs (k0, k1), (k1, k2):
 *
 *     output 0 += A * (k0, k1)  [SMLAD]   + x2 * k2  [SMLABT]
 *     output 1 += x1 * k0       [SMLATB]  + B * (k1, k2)  [SMLAD]
 *
 * Tiles at an odd end store their surplus outputs first, over the place of the others. A channel's outputs only land on
 * the same channel of what has been copied already, so the output may start at the input's first byte.
 *
 * A channel's record of words: three lines of weights as bytes (k0, k1, k1, k2), start value, multiplier. A positive
 * multiplier is requant_linear.py's. A negative one is the complement of requant.py's, followed by addend and shift. */

#include "kernel_asm.h"

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
    .equ RUN, 56            /* 64 * whole tiles of a strip */
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
    .equ SLOT, 104          /* channel within the step */
    .equ NEXT, 108          /* record of the channel after */
/* of a strip */
    .equ PLACE, 112
    .equ TO, 116
    .equ MORE, 120          /* strips of this window */
    .equ END, 124
    .equ STEP_U, 128        /* steps to a tile's second column and line: 0 where they are surplus */
    .equ STEP_V, 132
    .equ START, 136
    .equ MULTIPLIER, 140
    .equ ADDEND, 144
    .equ SHIFT, 148
    .equ HERE, 152          /* strips from here on, for the end of the image */
    .equ FRAME, 156

/* one word of two lines into r10, r11. The M4 loads pairs; the M7 issues each load beside a multiplication. */
    .macro load_lines offset
#ifdef HIL_DUAL_ISSUE
    ldr r10, [r12, #\offset]
    ldr r11, [r12, #(\offset + 4)]
#else
    ldrd r10, r11, [r12, #\offset]
#endif
    .endm

/* four sums (r0: first line, first column; r1: first line, second column; r2, r3: second line) of the tile at r12 */
    .macro tile_sums
    ldr r3, [sp, #START]
    load_lines 0
    smlad r0, r10, r4, r3
    smlatb r1, r10, r4, r3
    smlad r2, r11, r4, r3
    smlatb r3, r11, r4, r3
    smlad r0, r11, r6, r0
    smlatb r1, r11, r6, r1
    load_lines 8
    smlad r2, r10, r6, r2
    smlatb r3, r10, r6, r3
    smlad r0, r10, r8, r0
    smlatb r1, r10, r8, r1
    smlad r2, r11, r8, r2
    smlatb r3, r11, r8, r3
    load_lines 64
    smlabt r0, r10, r5, r0
    smlad r1, r10, r5, r1
    smlabt r2, r11, r5, r2
    smlad r3, r11, r5, r3
    smlabt r0, r11, r7, r0
    smlad r1, r11, r7, r1
    load_lines 72
    add r12, r12, #64
    smlabt r2, r10, r7, r2
    smlad r3, r10, r7, r3
    smlabt r0, r10, r9, r0
    smlad r1, r10, r9, r1
    smlabt r2, r11, r9, r2
    smlad r3, r11, r9, r3
    .endm

    .macro linear_tile
    ldr r10, [sp, #MULTIPLIER]
    smmul r0, r0, r10
    smmul r1, r1, r10
    smmul r2, r2, r10
    smmul r3, r3, r10
    ssat r0, #8, r0, asr #9
    ssat r1, #8, r1, asr #9
    ssat r2, #8, r2, asr #9
    ssat r3, #8, r3, asr #9
    .endm

    .macro rounded_output sum
    lsl \sum, \sum, #1
    smmulr \sum, \sum, r10
    add \sum, \sum, \sum, asr #31
    add \sum, \sum, r11
    .endm

    .macro rounded_tile
    ldrd r10, r11, [sp, #MULTIPLIER]
    rounded_output r0
    rounded_output r1
    rounded_output r2
    rounded_output r3
    ldr r10, [sp, #SHIFT]
    asr r0, r0, r10
    asr r1, r1, r10
    asr r2, r2, r10
    asr r3, r3, r10
    ssat r0, #8, r0
    ssat r1, #8, r1
    ssat r2, #8, r2
    ssat r3, #8, r3
    .endm

    .macro store_tile
    ldrd r10, r11, [sp, #STEP_U]
    add r10, lr, r10
    strb r3, [r10, r11]
    strb r1, [r10]
    strb r2, [lr, r11]
    strb r0, [lr]
    rsb lr, lr, r10, lsl #1
    .endm

/* the strips of a window: r4-r9 weights; `requantize` is the macro that turns sums into outputs */
    .macro strips requantize
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
    adds r10, r12, r10
    str r10, [sp, #END]
    cmp r10, r12
    beq 3f
    .balign 4
2:
    tile_sums
    \requantize
    store_tile
    ldr r10, [sp, #END]
    cmp r12, r10
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
    add r10, r12, #64
    str r10, [sp, #END]
    b 2b
4:
    ldrd r0, r1, [sp, #PLACE]
    ldrd r2, r3, [sp, #OUT_U]
    adds r0, #8
    add r1, r1, r3, lsl #1
    strd r0, r1, [sp, #PLACE]
    ldr r2, [sp, #MORE]
    subs r2, #1
    str r2, [sp, #MORE]
    bne 1b
    .endm

/* copies pairs of a line: \count elements from r0 on, \su bytes apart, to r1, which moves on */
    .macro copy_two first, second, third, fourth
    orr \first, \first, \second, lsl #16
    sxtb16 \second, \first
    sxtb16 \first, \first, ror #8
    .endm

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
    cmp r2, #3
    it hi
    movhi r2, #3
    lsls r12, r2, #1
    adds r12, #2

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
    strh r6, [r1, #34]
    adds r1, #64
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
    orr r8, r8, r9, lsl #16
    sxtb16 r7, r6
    sxtb16 r6, r6, ror #8
    sxtb16 r9, r8
    sxtb16 r8, r8, ror #8
    str r7, [r1]
    str r6, [r1, #32]
    str r9, [r1, #64]
    str r8, [r1, #96]
    adds r1, #128
    subs r2, #1
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
    str r6, [r1, #32]
    adds r1, #64
6:
    cbz r2, .Lcopied\@
    ldrh r6, [r0]
    sxtb r7, r6
    sxtb r6, r6, ror #8
    strh r7, [r1]
    strh r6, [r1, #32]
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
    adds r1, #64
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
    str r8, [r1, #64]
    adds r1, #128
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
    adds r1, #64
6:
    cmp r2, #0
    beq .Lcopied\@
    ldrsb r6, [r0]
    strh r6, [r1]
    b .Lcopied\@

.Lpadding\@:
    /* where the whole image is one window these lines still are what they were made */
    ldr r6, [sp, #STRIPS]
    cmp r6, #3
    bls .Lcopied\@
    ldr r6, [sp, #FIRST]
    ldrd r2, r7, [sp, #PAIRS]
    sub r1, r11, r6
7:
    str r7, [r1, #32]
    str r7, [r1], #64
    subs r2, #1
    bne 7b
    b .Lcopied\@

.Lcompute\@:
    movs r0, #0
    ldr r1, [sp, #RECORD]
    strd r0, r1, [sp, #SLOT]
.Lchannel\@:
    /* slot in r0, record in r1 */
    ldr r2, [sp, #SCRATCH]
    ldrd r4, r5, [sp, #LEFT]
    add r2, r2, r0, lsl #5
    add r5, r5, r0
    strd r2, r5, [sp, #PLACE]
    str r4, [sp, #HERE]
    cmp r4, #3
    it hi
    movhi r4, #3
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
    strips linear_tile
.Lnext\@:
    ldrd r0, r1, [sp, #SLOT]
    ldr r2, [sp, #STEP]
    adds r0, #1
    str r0, [sp, #SLOT]
    cmp r0, r2
    bne .Lchannel\@

    /* the next window of these channels, or the next channels */
    ldrd r4, r5, [sp, #LEFT]
    subs r4, #3
    bls .Lnext_channels\@
    ldr r6, [sp, #OUT_V]
    add r6, r6, r6, lsl #1
    add r5, r5, r6, lsl #1
    strd r4, r5, [sp, #LEFT]
    /* its first two lines are this one's last */
    ldr r11, [sp, #SCRATCH]
    ldr r2, [sp, #PAIRS]
    mov r0, r11
8:
    ldrd r6, r7, [r0, #24]
    ldrd r8, r9, [r0, #56]
    strd r6, r7, [r0]
    strd r8, r9, [r0, #32]
    adds r0, #64
    subs r2, #1
    bne 8b
    cmp r4, #3
    it hi
    movhi r4, #3
    adds r11, #8
    lsl r12, r4, #1
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
    strd r2, r3, [sp, #ADDEND]
    sxtb16 r5, r4, ror #8
    sxtb16 r4, r4
    sxtb16 r7, r6, ror #8
    sxtb16 r6, r6
    sxtb16 r9, r8, ror #8
    sxtb16 r8, r8
    strips rounded_tile
    b .Lnext\@
hil_end \name
    .endm
