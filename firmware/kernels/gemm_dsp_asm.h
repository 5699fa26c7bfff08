/* Assembly that the inner kernels of gemm_dsp.h share: requantization and stores. Why it is exact, and how the constants
 * lie after a block's weights: harness/kernels/gemm.py, requant.py (hil_requant) and requant_linear.py (hil_line). */
#include "columns_end.h"
#include "kernel_asm.h"
#include "requant_linear.h"

    /* acc (doubled) -> int8; tmp is lost. The addend is (2 * zero point + 1) << (shift - 1); shifts count by the lowest
     * byte of a register, so the word of all four shifts serves as it is. */
    .macro hil_requant acc, multiplier, addend, shifts, tmp, ties
    smmlar  \tmp, \acc, \multiplier, \addend
    .if \ties
    add.w   \tmp, \tmp, \acc, asr #31
    .endif
    asr.w   \tmp, \tmp, \shifts
    ssat    \acc, #8, \tmp, asr #1
    .endm

    /* four int8 into the bytes of a */
    .macro hil_pack4 a, b, c, d
    bfi     \a, \b, #8, #8
    bfi     \a, \c, #16, #8
    bfi     \a, \d, #24, #8
    .endm

    /* x = min(max(x, low), high) in four bytes */
    .macro hil_clamp4 x, low, high, tmp
    ssub8   \tmp, \x, \low
    sel     \x, \x, \low
    ssub8   \tmp, \high, \x
    sel     \x, \x, \high
    .endm
