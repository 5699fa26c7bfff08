/* The tile of the 3x3 depthwise kernels with stride 1; see depthwise_3x3_asm.h.
 *
 * Four lines of two words, A = (x0, x1) and B = (x2, x3), and the weights of a line as overlapping pairs: (k0, k1) in r4,
 * r6, r8, and (k1, k2) in r5, r7, r9.
 *
 *     output 0 += A * (k0, k1)  [SMLAD]   + x2 * k2  [SMLABT]
 *     output 1 += x1 * k0       [SMLATB]  + B * (k1, k2)  [SMLAD]
 *
 * Loads of one chain cost the M4 less than their number; the M7 issues each beside a multiplication. */
#define HIL_TILE_S1_HELD 8    /* lines of a window */
#define HIL_TILE_S1_SHARED 2  /* of two windows */
#define HIL_TILE_S1_STRIP 2   /* from one strip to the next */
#define HIL_TILE_S1_WINDOW 3  /* strips of a window */

    .equ LINES_HELD, HIL_TILE_S1_HELD
    .equ LINES_SHARED, HIL_TILE_S1_SHARED
    .equ LINES_STRIP, HIL_TILE_S1_STRIP
    .equ WINDOW, HIL_TILE_S1_WINDOW
    .equ TILE, 64           /* bytes from one tile to the next */
    .equ LINE_TILES, 1      /* tiles of one line */

#ifdef HIL_DUAL_ISSUE
    .macro open_tile
    ldr r10, [r12]
    ldr r11, [r12, #4]
    ldr r3, [sp, #START]
    .endm

    .macro tile_sums
    smlad r0, r10, r4, r3
    smlatb r1, r10, r4, r3
    ldr r10, [r12, #8]
    smlad r2, r11, r4, r3
    smlatb r3, r11, r4, r3
    smlad r0, r11, r6, r0
    smlatb r1, r11, r6, r1
    ldr r11, [r12, #12]
    smlad r2, r10, r6, r2
    smlatb r3, r10, r6, r3
    smlad r0, r10, r8, r0
    smlatb r1, r10, r8, r1
    ldr r10, [r12, #64]
    smlad r2, r11, r8, r2
    smlatb r3, r11, r8, r3
    ldr r11, [r12, #68]
    smlabt r0, r10, r5, r0
    smlad r1, r10, r5, r1
    ldr r10, [r12, #72]
    smlabt r2, r11, r5, r2
    smlad r3, r11, r5, r3
    smlabt r0, r11, r7, r0
    smlad r1, r11, r7, r1
    ldr r11, [r12, #76]
    smlabt r2, r10, r7, r2
    smlad r3, r10, r7, r3
    smlabt r0, r10, r9, r0
    smlad r1, r10, r9, r1
    ldr r10, [sp, #MULTIPLIER]
    smlabt r2, r11, r9, r2
    smlad r3, r11, r9, r3
    ldr r11, [sp, #END]
    add r12, r12, #64
    .endm

    /* the first line's two sums alone, in r0 and r1; else as tile_sums */
    .macro line_sums
    smlad r0, r10, r4, r3
    ldr r2, [r12, #8]
    smlatb r1, r10, r4, r3
    ldr r10, [r12, #64]
    smlad r0, r11, r6, r0
    smlatb r1, r11, r6, r1
    ldr r11, [r12, #68]
    smlad r0, r2, r8, r0
    smlatb r1, r2, r8, r1
    ldr r2, [r12, #72]
    smlabt r0, r10, r5, r0
    smlad r1, r10, r5, r1
    ldr r10, [sp, #MULTIPLIER]
    smlabt r0, r11, r7, r0
    smlad r1, r11, r7, r1
    ldr r11, [sp, #END]
    smlabt r0, r2, r9, r0
    smlad r1, r2, r9, r1
    add r12, r12, #64
    .endm
#else
    .macro open_tile
    .endm

    .macro tile_sums
    ldr.w r3, [sp, #START]
    ldr r10, [r12]
    ldr r11, [r12, #4]
    smlad r0, r10, r4, r3
    smlatb r1, r10, r4, r3
    smlad r2, r11, r4, r3
    smlatb r3, r11, r4, r3
    smlad r0, r11, r6, r0
    smlatb r1, r11, r6, r1
    ldrd r10, r11, [r12, #8]
    smlad r2, r10, r6, r2
    smlatb r3, r10, r6, r3
    smlad r0, r10, r8, r0
    smlatb r1, r10, r8, r1
    smlad r2, r11, r8, r2
    smlatb r3, r11, r8, r3
    ldrd r10, r11, [r12, #64]
    smlabt r0, r10, r5, r0
    smlad r1, r10, r5, r1
    smlabt r2, r11, r5, r2
    smlad r3, r11, r5, r3
    smlabt r0, r11, r7, r0
    smlad r1, r11, r7, r1
    ldrd r10, r11, [r12, #72]
    add r12, r12, #64
    smlabt r2, r10, r7, r2
    smlad r3, r10, r7, r3
    smlabt r0, r10, r9, r0
    smlad r1, r10, r9, r1
    smlabt r2, r11, r9, r2
    smlad r3, r11, r9, r3
    ldrd r11, r10, [sp, #END]
    .endm

    /* the first line's two sums alone, in r0 and r1; else as tile_sums */
    .macro line_sums
    ldr.w r3, [sp, #START]
    ldr r10, [r12]
    ldr r11, [r12, #4]
    ldr.w r2, [r12, #8]
    smlad r0, r10, r4, r3
    smlatb r1, r10, r4, r3
    smlad r0, r11, r6, r0
    smlatb r1, r11, r6, r1
    smlad r0, r2, r8, r0
    smlatb r1, r2, r8, r1
    ldr r10, [r12, #64]
    ldr r11, [r12, #68]
    ldr.w r2, [r12, #72]
    add r12, r12, #64
    smlabt r0, r10, r5, r0
    smlad r1, r10, r5, r1
    smlabt r0, r11, r7, r0
    smlad r1, r11, r7, r1
    smlabt r0, r2, r9, r0
    smlad r1, r2, r9, r1
    ldrd r11, r10, [sp, #END]
    .endm
#endif
