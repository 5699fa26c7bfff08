/* Sums of weights of four bits, four channels in a lane (gemm.py): 7 instructions for 8 products, 11 for 16 of two pixels.
 *
 * lane = 4096 * w3 + 256 * (w2 + 8) + 16 * (w1 + 8) + w0 + 8. A collects lane * x, D, B and C what is left without the
 * highest, the two higher and the three higher weights. They start at what the eights add to them, so that modulo 2^32
 * A = 4096 S3 + 256 S2 + 16 S1 + S0, D = 256 S2 + 16 S1 + S0, B = 16 S1 + S0 and C = S0 in the end. */

/* on the stack: what C, B, D and A of the first pixel start at, then of the second */
#define STARTS 36

    /* c = 0 - 8 * sum of activations; then b = 17 c, d = 273 c */
    .macro hil_int4_starts sum, c, b, d
    rsb     \c, \sum, #0
    lsl     \c, \c, #3
    add     \b, \c, \c, lsl #4
    add     \d, \b, \c, lsl #8
    .endm

    /* a word of weights, which is lost, and two activations */
    .macro hil_int4_macs word, x
    smlad   r5, \word, \x, r5
    bic     \word, \word, #0xf000f000
    smlad   r4, \word, \x, r4
    uxtb16  \word, \word
    smlad   r3, \word, \x, r3
    and     \word, \word, #0x000f000f
    smlad   r2, \word, \x, r2
    .endm

    .macro hil_int4_macs_pair word, x0, x1
    smlad   r5, \word, \x0, r5
    smlad   r9, \word, \x1, r9
    bic     \word, \word, #0xf000f000
    smlad   r4, \word, \x0, r4
    smlad   r8, \word, \x1, r8
    uxtb16  \word, \word
    smlad   r3, \word, \x0, r3
    smlad   r7, \word, \x1, r7
    and     \word, \word, #0x000f000f
    smlad   r2, \word, \x0, r2
    smlad   r6, \word, \x1, r6
    .endm

    /* C, B, D, A -> the doubled sums of channels 0 to 3, and what they start with, doubled */
    .macro hil_int4_apart c, b, d, a, s0, s1, s2, s3
    sub.w   \a, \a, \d
    sub.w   \d, \d, \b
    sub.w   \b, \b, \c
    add.w   \a, \s3, \a, asr #11
    add.w   \d, \s2, \d, asr #7
    add.w   \b, \s1, \b, asr #3
    add.w   \c, \s0, \c, lsl #1
    .endm
