/* The tile of the 3x3 depthwise kernels with stride 2; see depthwise_3x3_asm.h.
 *
 * Five lines of three words, A = (x0, x1), B = (x2, x3) and C = (x4, x5), and the weights as (k0, k1) of each line in r4,
 * r6, r8, and the three k2 in r5 (the first and second line's) and r9 (the third's, twice).
 *
 *     output 0 += A * (k0, k1)  [SMLAD]  + x2 * k2  [SMLABB, SMLABT]
 *     output 1 += B * (k0, k1)  [SMLAD]  + x4 * k2  [SMLABB, SMLABT]
 *
 * Loads of one chain cost the M4 less than their number; the M7 issues each beside a multiplication. */
#define HIL_TILE_S2_HELD 9    /* lines of a window */
#define HIL_TILE_S2_SHARED 1  /* of two windows */
#define HIL_TILE_S2_STRIP 4   /* from one strip to the next */
#define HIL_TILE_S2_WINDOW 2  /* strips of a window */

    .equ LINES_HELD, HIL_TILE_S2_HELD
    .equ LINES_SHARED, HIL_TILE_S2_SHARED
    .equ LINES_STRIP, HIL_TILE_S2_STRIP
    .equ WINDOW, HIL_TILE_S2_WINDOW
    .equ TILE, 144          /* bytes from one tile to the next */
    .equ LINE_TILES, 0

#ifdef HIL_DUAL_ISSUE
    .macro open_tile
    ldr r10, [r12]
    ldr r7, [r12, #72]
    ldr r3, [sp, #START]
    .endm

    .macro tile_sums
    smlad r0, r10, r4, r3
    ldr r11, [r12, #4]
    smlad r1, r7, r4, r3
    ldr r10, [r12, #76]
    smlabb r0, r7, r5, r0
    ldr r7, [r12, #8]
    smlad r0, r11, r6, r0
    smlad r1, r10, r6, r1
    ldr r11, [r12, #80]
    smlabt r0, r10, r5, r0
    ldr r10, [r12, #12]
    smlad r0, r7, r8, r0
    smlad r2, r7, r4, r3
    smlad r3, r11, r4, r3
    ldr r7, [r12, #84]
    smlabb r0, r11, r9, r0
    smlad r1, r11, r8, r1
    smlabb r2, r11, r5, r2
    ldr r11, [r12, #16]
    smlad r2, r10, r6, r2
    ldr r10, [r12, #88]
    smlad r3, r7, r6, r3
    smlabt r2, r7, r5, r2
    ldr r7, [r12, #144]
    smlad r2, r11, r8, r2
    ldr r11, [r12, #148]
    smlad r3, r10, r8, r3
    smlabb r2, r10, r9, r2
    ldr r10, [r12, #152]
    smlabb r1, r7, r5, r1
    ldr r7, [r12, #156]
    smlabt r1, r11, r5, r1
    ldr r11, [r12, #160]
    smlabb r1, r10, r9, r1
    smlabb r3, r10, r5, r3
    ldr r10, [sp, #MULTIPLIER]
    smlabt r3, r7, r5, r3
    add r12, r12, #TILE
    smlabb r3, r11, r9, r3
    ldr r11, [sp, #END]
    .endm
#else
    .macro open_tile
    .endm

    .macro tile_sums
    ldr.w r3, [sp, #START]
    ldr r10, [r12]
    ldr r11, [r12, #4]
    ldr.w r7, [r12, #8]
    smlad r0, r10, r4, r3
    smlad r0, r11, r6, r0
    smlad r0, r7, r8, r0
    smlad r2, r7, r4, r3
    ldr r10, [r12, #12]
    ldr r11, [r12, #16]
    ldr.w r7, [r12, #80]
    smlad r2, r10, r6, r2
    smlad r2, r11, r8, r2
    smlad r1, r7, r8, r3
    smlad r3, r7, r4, r3
    smlabb r0, r7, r9, r0
    smlabb r2, r7, r5, r2
    ldr r10, [r12, #72]
    ldr r11, [r12, #76]
    ldr.w r7, [r12, #84]
    smlabb r0, r10, r5, r0
    smlad r1, r10, r4, r1
    smlabt r0, r11, r5, r0
    smlad r1, r11, r6, r1
    smlabt r2, r7, r5, r2
    smlad r3, r7, r6, r3
    ldr r10, [r12, #88]
    ldr r11, [r12, #144]
    ldr.w r7, [r12, #148]
    smlabb r2, r10, r9, r2
    smlad r3, r10, r8, r3
    smlabb r1, r11, r5, r1
    smlabt r1, r7, r5, r1
    ldr r10, [r12, #152]
    ldr r11, [r12, #156]
    ldr.w r7, [r12, #160]
    smlabb r1, r10, r9, r1
    smlabb r3, r10, r5, r3
    smlabt r3, r11, r5, r3
    smlabb r3, r7, r9, r3
    add r12, r12, #TILE
    ldrd r11, r10, [sp, #END]
    .endm
#endif
