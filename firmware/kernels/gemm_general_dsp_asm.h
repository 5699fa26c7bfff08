/* TFLM's requantization of any sum with any multiplier and shift, of the form `general` (gemm.py). */

    /* sum -> int8. r10: left shift, and above its byte the right one; r11: the output's zero point; r12: the multiplier. r1 and lr
     * are lost. h = (x * m + 2^30) >> 31, and ((h - [h < 0]) >> (n - 1)) + 1 >> 1, n >= 1, rounds h / 2^n, ties away from zero. */
    .macro hil_general_scale sum
    lsl     \sum, \sum, r10
    smull   r1, \sum, \sum, r12
    adds    r1, r1, #0x40000000
    adc     \sum, \sum, #0
    lsl     \sum, \sum, #1
    orr     \sum, \sum, r1, lsr #31
    lsrs    lr, r10, #8
    itttt   ne
    addne   \sum, \sum, \sum, asr #31
    subne   lr, lr, #1
    asrne   \sum, \sum, lr
    addne   \sum, \sum, #1
    it      ne
    asrne   \sum, \sum, #1
    qadd    \sum, \sum, r11
    ssat    \sum, #8, \sum
    .endm
