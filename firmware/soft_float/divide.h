/* Division of floats of one width, included for each: IEEE 754, to nearest even; what is no number is the quiet NaN.
 *
 * DIVIDE: the function's name. WORD: the unsigned type of its bits. FRACTION: bits of the fraction. LARGEST: the
 * exponent's field of infinity. */
WORD DIVIDE(WORD a, WORD b);

WORD DIVIDE(WORD a, WORD b)
{
    const WORD hidden = (WORD)1 << FRACTION, infinite = (WORD)LARGEST << FRACTION;
    const WORD sign = (a ^ b) & ~((WORD)-1 >> 1);
    a &= (WORD)-1 >> 1;
    b &= (WORD)-1 >> 1;
    if (a >= infinite || b >= infinite || a == 0 || b == 0) {
        if (a > infinite || b > infinite || a == b) {
            return infinite | hidden >> 1;
        }
        return a == infinite || b == 0 ? sign | infinite : sign;
    }
    int32_t exponent = (int32_t)(a >> FRACTION) - (int32_t)(b >> FRACTION) + LARGEST / 2;
    WORD rest = a & (hidden - 1U), divisor = b & (hidden - 1U);
    if (a >= hidden) {
        rest |= hidden;
    } else {
        for (exponent += 1; rest < hidden; --exponent) {
            rest <<= 1;
        }
    }
    if (b >= hidden) {
        divisor |= hidden;
    } else {
        for (exponent -= 1; divisor < hidden; ++exponent) {
            divisor <<= 1;
        }
    }
    if (rest < divisor) {
        rest <<= 1;
        --exponent;
    }
    if (exponent >= LARGEST) {
        return sign | infinite;
    }
    WORD quotient = 0; /* FRACTION + 1 bits, one for the half, one for all behind it */
    for (uint32_t bit = 0; bit < FRACTION + 2; ++bit) {
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1U;
        }
        rest <<= 1;
    }
    quotient = quotient << 1 | (rest != 0);
    WORD biased = 0;
    if (exponent > 0) {
        biased = (WORD)(exponent - 1) << FRACTION;
    } else {
        const uint32_t lost = (uint32_t)(1 - exponent);
        quotient = lost > FRACTION + 2 ? 1U : quotient >> lost | ((quotient & (((WORD)1 << lost) - 1U)) != 0);
    }
    const WORD tail = quotient & 3U;
    quotient >>= 2;
    return sign | (biased + quotient + (tail > 2 || (tail == 2 && (quotient & 1U) != 0)));
}

#undef DIVIDE
#undef WORD
#undef FRACTION
#undef LARGEST
