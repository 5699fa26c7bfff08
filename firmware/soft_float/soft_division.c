/* Division of floats for cores without an FPU, in code that runs at any address: libgcc's for the v6-M has tables of
 * addresses. IEEE 754, to nearest even; what is no number is the quiet NaN. Numbers are their bits: no float is used here. */
#include <stdint.h>

uint32_t __aeabi_fdiv(uint32_t a, uint32_t b);
uint64_t __aeabi_ddiv(uint64_t a, uint64_t b);

#define HIDDEN_F 0x00800000U
#define INFINITE_F 0x7F800000U
#define NAN_F 0x7FC00000U
#define HIDDEN_D 0x0010000000000000U
#define INFINITE_D 0x7FF0000000000000U
#define NAN_D 0x7FF8000000000000U

uint32_t __aeabi_fdiv(uint32_t a, uint32_t b)
{
    const uint32_t sign = (a ^ b) & 0x80000000U;
    a &= 0x7FFFFFFFU;
    b &= 0x7FFFFFFFU;
    if (a >= INFINITE_F || b >= INFINITE_F || a == 0 || b == 0) {
        if (a > INFINITE_F || b > INFINITE_F || a == b) {
            return NAN_F;
        }
        return a == INFINITE_F || b == 0 ? sign | INFINITE_F : sign;
    }
    int32_t exponent = (int32_t)(a >> 23) - (int32_t)(b >> 23) + 127;
    uint32_t rest = a & (HIDDEN_F - 1U), divisor = b & (HIDDEN_F - 1U);
    if (a >= HIDDEN_F) {
        rest |= HIDDEN_F;
    } else {
        for (exponent += 1; rest < HIDDEN_F; --exponent) {
            rest <<= 1;
        }
    }
    if (b >= HIDDEN_F) {
        divisor |= HIDDEN_F;
    } else {
        for (exponent -= 1; divisor < HIDDEN_F; ++exponent) {
            divisor <<= 1;
        }
    }
    if (rest < divisor) {
        rest <<= 1;
        --exponent;
    }
    if (exponent >= 255) {
        return sign | INFINITE_F;
    }
    uint32_t quotient = 0; /* 24 bits, one for the half, one for all behind it */
    for (uint32_t bit = 0; bit < 25; ++bit) {
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1U;
        }
        rest <<= 1;
    }
    quotient = quotient << 1 | (rest != 0);
    uint32_t biased = 0;
    if (exponent > 0) {
        biased = (uint32_t)(exponent - 1) << 23;
    } else {
        const uint32_t lost = (uint32_t)(1 - exponent);
        quotient = lost > 25 ? 1U : quotient >> lost | ((quotient & ((1U << lost) - 1U)) != 0);
    }
    const uint32_t tail = quotient & 3U;
    quotient >>= 2;
    return sign | (biased + quotient + (tail > 2 || (tail == 2 && (quotient & 1U) != 0)));
}

uint64_t __aeabi_ddiv(uint64_t a, uint64_t b)
{
    const uint64_t sign = (a ^ b) & 0x8000000000000000U;
    a &= 0x7FFFFFFFFFFFFFFFU;
    b &= 0x7FFFFFFFFFFFFFFFU;
    if (a >= INFINITE_D || b >= INFINITE_D || a == 0 || b == 0) {
        if (a > INFINITE_D || b > INFINITE_D || a == b) {
            return NAN_D;
        }
        return a == INFINITE_D || b == 0 ? sign | INFINITE_D : sign;
    }
    int32_t exponent = (int32_t)(a >> 52) - (int32_t)(b >> 52) + 1023;
    uint64_t rest = a & (HIDDEN_D - 1U), divisor = b & (HIDDEN_D - 1U);
    if (a >= HIDDEN_D) {
        rest |= HIDDEN_D;
    } else {
        for (exponent += 1; rest < HIDDEN_D; --exponent) {
            rest <<= 1;
        }
    }
    if (b >= HIDDEN_D) {
        divisor |= HIDDEN_D;
    } else {
        for (exponent -= 1; divisor < HIDDEN_D; ++exponent) {
            divisor <<= 1;
        }
    }
    if (rest < divisor) {
        rest <<= 1;
        --exponent;
    }
    if (exponent >= 2047) {
        return sign | INFINITE_D;
    }
    uint64_t quotient = 0; /* 53 bits, one for the half, one for all behind it */
    for (uint32_t bit = 0; bit < 54; ++bit) {
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1U;
        }
        rest <<= 1;
    }
    quotient = quotient << 1 | (rest != 0);
    uint64_t biased = 0;
    if (exponent > 0) {
        biased = (uint64_t)(exponent - 1) << 52;
    } else {
        const uint32_t lost = (uint32_t)(1 - exponent);
        quotient = lost > 54 ? 1U : quotient >> lost | ((quotient & (((uint64_t)1 << lost) - 1U)) != 0);
    }
    const uint64_t tail = quotient & 3U;
    quotient >>= 2;
    return sign | (biased + quotient + (tail > 2 || (tail == 2 && (quotient & 1U) != 0)));
}
