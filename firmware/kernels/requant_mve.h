/* Requantization of eight accumulators in two vectors, for kernels in assembly: what gemm_s8_mve.h calls forms.
 *
 * VQRDMULH is the first rounding of TFLM, (acc * m + 2^30) >> 31, saturation included. VRSHL by a negative amount is
 * the second, but for ties of negative values: those it rounds up, TFLM away from zero. One less in the last bit of a
 * negative value gives TFLM's result, as it changes nothing but ties (saturating, since the least int32 has no less).
 * A shift by 0 must not be touched: there the amount has no sign bit. A fused RELU that ends at the output's zero
 * point hides every negative value.
 *
 * In the form signed a second VQRDMULH, by the factor 2^(31-n) + 1, does both: floor(h / 2^n + h / 2^31 + 1 / 2). The small
 * second term takes ties away from zero; other values are 2^-n from a tie at least, more than that term where |h| <
 * 2^(31-n). Larger ones there are none, or n <= 11 and they are 2^9 outputs away from 0, where all saturates. */

/* sums times a vector of factors: in the form float float32 ones, rounded to the nearest integer, ties to even, as ONNX
 * Runtime does, with nothing to shift; else multipliers */
    .macro requant_mve_multiply form, x, factors
    .ifc \form,float
    vcvt.f32.s32 \x, \x
    vmul.f32    \x, \x, \factors
    vcvtn.s32.f32 \x, \x
    .else
    vqrdmulh.s32 \x, \x, \factors
    .endif
    .endm

/* a vector of shifts from memory, or of the form signed's factors */
    .macro requant_mve_shifts form, shifts, at
    .ifc \form,signed
    vldrw.32    \shifts, [\at], #16
    .else
    .ifnc \form,float
    vldrb.s32   \shifts, [\at], #4
    .endif
    .endif
    .endm

/* a vector of products, shifted right by a vector of negated amounts, or times one of factors: int32 results without zero
   point */
    .macro requant_mve_shift form, x, shift, spare
    .ifc \form,general
    vand        \spare, \x, \shift
    vshr.s32    \spare, \spare, #31
    vqadd.s32   \x, \x, \spare
    .endif
    .ifc \form,signed
    vqrdmulh.s32 \x, \x, \shift
    .else
    .ifnc \form,float
    vrshl.s32   \x, \x, \shift
    .endif
    .endif
    .endm

/* a vector of sums of one channel, whose constants of the form general are in registers: multiplier, left shift, 1 where ties
 * matter, negated right shift */
    .macro requant_mve_channel x, spare, multiplier, left, ties, right
    vshl.s32    \x, \left
    vqrdmulh.s32 \x, \x, \multiplier
    vshr.s32    \spare, \x, #31
    vmul.i32    \spare, \spare, \ties
    vqadd.s32   \x, \x, \spare
    vrshl.s32   \x, \right
    .endm

/* two vectors to 16 bits, a in even and b in odd lanes, plus the zero point (16-bit lanes), clamped: the result in a */
    .macro requant_mve_narrow form, a, b, zero, low, high
    vqmovnb.s32 \a, \a
    vqmovnt.s32 \a, \b
    vqadd.s16   \a, \a, \zero
    .ifc \form,relu
    vqmovnb.s16 \a, \a
    .endif
    .ifc \form,signed
    vqmovnb.s16 \a, \a
    .endif
    .ifc \form,general
    vmax.s16    \a, \a, \low
    vmin.s16    \a, \a, \high
    .endif
    .ifc \form,float
    vmax.s16    \a, \a, \low
    vmin.s16    \a, \a, \high
    .endif
    .endm
