/* See softmax_s8_mve.h. */
#include "softmax_s8_mve.h"

#include <arm_mve.h>

#include "softmax_reciprocal.h"

/* exp() of the distance to the maximum, from the table; lanes that are not there get 0 */
HIL_INLINE int32x4_t exp_of(const int8_t *x, const int32_t *exp_table, int32_t max, int32_t table_size,
                            mve_pred16_t lanes)
{
    const int32x4_t distance = vsubq_s32(vdupq_n_s32(max), vldrbq_z_s32(x, lanes));
    const int32x4_t place = vminq_s32(distance, vdupq_n_s32(table_size));
    return vldrwq_gather_shifted_offset_z_s32(exp_table, vreinterpretq_u32_s32(place), lanes);
}

HIL_SHARED void softmax_s8_mve(const int8_t *input, const int32_t *exp_table, int8_t *output,
                               const softmax_s8_mve_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        int8_t max = INT8_MIN;
        for (int32_t i = 0; i < s->depth; i += 16) {
            const mve_pred16_t lanes = vctp8q((uint32_t)(s->depth - i));
            max = vmaxvq_p_s8(max, vldrbq_z_s8(input + i, lanes), lanes);
        }
        int32_t sum = 0; /* Q12.19 */
        for (int32_t i = 0; i < s->depth; i += 4) {
            const mve_pred16_t lanes = vctp32q((uint32_t)(s->depth - i));
            sum = vaddvaq_s32(sum, vrshrq_n_s32(exp_of(input + i, exp_table, max, s->table_size, lanes), 12));
        }
        const int32_t zeros = softmax_leading_zeros((uint32_t)sum);
        const int32_t scale = softmax_reciprocal((int32_t)(((uint32_t)sum << zeros) - UINT32_C(0x80000000)));
        /* nothing is negative, so that the shift rounds as TFLM does; 32 and more shift everything out */
        const int32_t right = 12 - zeros + 31 - 8;
        for (int32_t i = 0; i < s->depth; i += 4) {
            const mve_pred16_t lanes = vctp32q((uint32_t)(s->depth - i));
            const int32x4_t e = exp_of(input + i, exp_table, max, s->table_size, lanes);
            const int32x4_t value = vrshlq_n_s32(vqrdmulhq_n_s32(e, scale), -right);
            const int32x4_t moved = vminq_s32(vaddq_n_s32(value, INT8_MIN), vdupq_n_s32(INT8_MAX));
            vstrbq_p_s32(output + i, moved, lanes);
        }
        input += s->depth;
        output += s->depth;
    }
}
