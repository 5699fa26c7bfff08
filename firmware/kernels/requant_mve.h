/* Requantization of eight accumulators in two vectors, for kernels in assembly: what gemm_s8_mve.h calls forms.
 *
 * VQRDMULH is the first rounding of TFLM, (acc * m + 2^30) >> 31, saturation included. VRSHL by a negative amount is the
 * second, but for ties of negative values: those it rounds up, TFLM away from zero. One less in the last bit of a
 * negative value gives TFLM's result, as it changes nothing but ties (saturating, since the least int32 has no less).
 * A shift by 0 must not be touched: there the amount has no sign bit. A fused RELU that ends at the output's zero point
 * hides every negative value. */

/* to q1 and q2: vectors of accumulators; to q3: right shifts, negated; leaves the int32 results without zero point */
    .macro requant_mve_shift form, a, b, shift, spare
    .ifc \form,signed
    vshr.s32    \spare, \a, #31
    vqadd.s32   \a, \a, \spare
    vshr.s32    \spare, \b, #31
    vqadd.s32   \b, \b, \spare
    .endif
    .ifc \form,general
    vand        \spare, \a, \shift
    vshr.s32    \spare, \spare, #31
    vqadd.s32   \a, \a, \spare
    vand        \spare, \b, \shift
    vshr.s32    \spare, \spare, #31
    vqadd.s32   \b, \b, \spare
    .endif
    vrshl.s32   \a, \a, \shift
    vrshl.s32   \b, \b, \shift
    .endm

/* both to 16 bits, a in even and b in odd lanes, plus the zero point (int16 lanes), clamped to int8: the result in a */
    .macro requant_mve_narrow form, a, b, zero, low, high
    vqmovnb.s32 \a, \a
    vqmovnt.s32 \a, \b
    vqadd.s16   \a, \a, \zero
    .ifc \form,general
    vmax.s16    \a, \a, \low
    vmin.s16    \a, \a, \high
    .else
    vqmovnb.s16 \a, \a
    .endif
    .endm
