/* LOG_SOFTMAX, int8: exponentials from a table as SOFTMAX has them, their sum's logarithm in fixed point.
 *
 * harness/quantization/logarithm.py has the same, and the source. */
#ifndef HIL_KERNELS_LOG_SOFTMAX_S8_PORTABLE_H
#define HIL_KERNELS_LOG_SOFTMAX_S8_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t rows, depth;
    int32_t diff_min, multiplier, shift; /* of differences to a row's maximum, to Q5.26 */
    int32_t reverse_multiplier, reverse_shift;
} log_softmax_s8_portable_shape;

HIL_INLINE int32_t hil_saturated_shift(int32_t x, int32_t left)
{
    const int64_t wide = (int64_t)x * ((int64_t)1 << left);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

HIL_INLINE int32_t hil_saturated_sum(int64_t x)
{
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

HIL_INLINE int32_t hil_leading_zeros(uint32_t x)
{
    int32_t zeros = 32;
    while (x != 0) {
        x >>= 1;
        --zeros;
    }
    return zeros;
}

/* 1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31: three Newton-Raphson steps */
HIL_INLINE int32_t hil_one_over_one_plus(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1);
    int32_t x = 1515870810 + hil_doubling_high_multiply(half, -1010580540);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t error = (1 << 29) - hil_doubling_high_multiply(half, x);
        x = hil_wrap_add(x, hil_saturated_shift(hil_doubling_high_multiply(x, error), 2));
    }
    return hil_saturated_shift(x, 1);
}

/* ln(x) in Q5.26 of x >= 1 in Q12.19 */
HIL_INLINE int32_t hil_log_above_one(int32_t x)
{
    const int32_t zeros = hil_leading_zeros((uint32_t)x);
    const int32_t normal = hil_saturated_shift(x, zeros - 1);
    const int32_t r_a = hil_saturated_shift(hil_doubling_high_multiply(normal, 1518500250), 1);
    const int32_t power_a = hil_saturated_sum((int64_t)(12 - zeros) * (1 << 25) + (1 << 23));
    const int32_t room = hil_leading_zeros((uint32_t)hil_doubling_high_multiply(x, 1518500250)) - 1;
    const int32_t r_b = hil_saturated_shift(x, room);
    const int32_t power_b = hil_saturated_sum((int64_t)(12 - room) * (1 << 25) - (1 << 23));
    const int32_t r = r_a < r_b ? r_a : r_b, power = power_a > power_b ? power_a : power_b;
    const int64_t sum = (int64_t)r + 1805811301;
    const int32_t p = (int32_t)(sum >= 0 ? (sum + 1) >> 1 : -((1 - sum) >> 1));
    const int32_t distance = hil_wrap_add(r, -1805811301);
    const int32_t q = hil_wrap_add(distance, distance);
    const int32_t squared = hil_doubling_high_multiply(q, q);
    const int32_t cubed = hil_doubling_high_multiply(hil_doubling_high_multiply(q, squared), 117049297);
    const int32_t numerator = hil_wrap_add(hil_doubling_high_multiply(q, r), cubed);
    const int32_t inner = hil_wrap_add(hil_wrap_add(1057819769, q), hil_doubling_high_multiply(127690142, squared));
    const int32_t below = hil_one_over_one_plus(
        hil_wrap_add(hil_doubling_high_multiply(p, inner), hil_doubling_high_multiply(638450708, q)));
    const int32_t scaled = hil_doubling_high_multiply(hil_rounding_shift(numerator, 6), below);
    return hil_saturated_shift(hil_wrap_add(hil_doubling_high_multiply(power, 1488522236), scaled), 1);
}

/* exps[-difference]: in Q0.31, 0 beyond the table */
HIL_INLINE void log_softmax_s8_portable(const int8_t *input, const int32_t *exps, int8_t *output,
                                        const log_softmax_s8_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        int32_t most = INT8_MIN, sum = 0;
        for (int32_t i = 0; i < s->depth; ++i) {
            most = input[i] > most ? input[i] : most;
        }
        for (int32_t i = 0; i < s->depth; ++i) {
            sum = hil_wrap_add(sum, hil_rounding_shift(exps[most - input[i]], 12));
        }
        const int32_t log = hil_log_above_one(sum);
        const int32_t shifted = hil_wrap_add(log, INT32_MIN);
        const int32_t reach = hil_requantize(shifted, s->reverse_multiplier, s->reverse_shift);
        const int32_t lowest = reach > s->diff_min - 1 ? reach : s->diff_min - 1;
        for (int32_t i = 0; i < s->depth; ++i) {
            const int32_t difference = input[i] - most;
            int32_t made = INT8_MIN;
            if (difference > lowest) {
                const int32_t scaled = hil_requantize(difference, s->multiplier, s->shift);
                made = hil_clamp(hil_rounding_shift(hil_wrap_add(scaled, -log), 22) + 127, INT8_MIN, INT8_MAX);
            }
            output[i] = (int8_t)made;
        }
        input += s->depth;
        output += s->depth;
    }
}

#endif
