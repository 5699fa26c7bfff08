/* Sums times factors of float32, rounded to the nearest integer, ties to even, plus the zero point, saturated to int8: ONNX
 * Runtime's rounding. VCVTR rounds as FPSCR says, which is to nearest unless a program changes it. */
#ifndef __ARM_FP
#error "this layer needs the core's floating-point unit: compile with one, or generate the code for cortex-m3"
#endif

    .macro hil_float_scale x, factor
    vcvt.f32.s32 \x, \x
    vmul.f32 \x, \x, \factor
    vcvtr.s32.f32 \x, \x
    .endm

    /* zero: the output's zero point; QADD, since what is beyond int32 has become its end */
    .macro hil_float_narrow x, zero
    qadd    \x, \x, \zero
    ssat    \x, #8, \x
    .endm

    /* four sums of one pixel in s0..s3, or s4..s7, by factors in s8..s11 */
    .macro hil_float_scale4 a, b, c, d
    hil_float_scale \a, s8
    hil_float_scale \b, s9
    hil_float_scale \c, s10
    hil_float_scale \d, s11
    .endm
