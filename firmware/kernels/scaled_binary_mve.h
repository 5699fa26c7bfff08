/* Two operands of quantized numbers, int8 or int16, MVE: broadcasting by up to four loops around a run that is dense in a, and in
 * b unless that is one value there; arithmetic on four 32-bit lanes. Type and operation are literals, of which the compiler
 * keeps one. May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_SCALED_BINARY_MVE_H
#define HIL_KERNELS_SCALED_BINARY_MVE_H

#include "convert.h"
#include "nest.h"
#include "plain_binary_portable.h"
#include "requantize_mve.h"

typedef struct {
    hil_nest nest;     /* a4 is 1; b4 is 1, or 0 where b is one value */
    int32_t type;      /* HIL_S8 or HIL_S16 */
    int32_t operation; /* HIL_PLAIN_ADD, ...: as for numbers without a scale */
    int32_t swapped;   /* 1: a is the second operand */
    int32_t a_zero, a_multiplier, a_shift;
    int32_t b_zero, b_multiplier, b_shift;
    int32_t left_shift;
    int32_t out_zero, out_multiplier, out_shift, clamp_min, clamp_max;
} scaled_binary_mve_shape;

HIL_INLINE int32x4_t scaled_binary_mve_load(const uint8_t *p, int32_t type)
{
    return type == HIL_S16 ? vldrhq_s32((const int16_t *)p) : vldrbq_s32((const int8_t *)p);
}

HIL_INLINE int32x4_t scaled_binary_mve_load_some(const uint8_t *p, int32_t type, mve_pred16_t lanes)
{
    return type == HIL_S16 ? vldrhq_z_s32((const int16_t *)p, lanes) : vldrbq_z_s32((const int8_t *)p, lanes);
}

HIL_INLINE void scaled_binary_mve_store(uint8_t *p, int32_t type, int32x4_t value)
{
    if (type == HIL_S16) {
        vstrhq_s32((int16_t *)p, value);
    } else {
        vstrbq_s32((int8_t *)p, value);
    }
}

HIL_INLINE void scaled_binary_mve_store_some(uint8_t *p, int32_t type, int32x4_t value, mve_pred16_t lanes)
{
    if (type == HIL_S16) {
        vstrhq_p_s32((int16_t *)p, value, lanes);
    } else {
        vstrbq_p_s32((int8_t *)p, value, lanes);
    }
}

HIL_INLINE mve_pred16_t scaled_binary_mve_holds(int32x4_t a, int32x4_t b, int32_t operation)
{
    switch (operation) {
    case HIL_PLAIN_EQUAL:
        return vcmpeqq_s32(a, b);
    case HIL_PLAIN_NOT_EQUAL:
        return vcmpneq_s32(a, b);
    case HIL_PLAIN_GREATER:
        return vcmpgtq_s32(a, b);
    case HIL_PLAIN_GREATER_EQUAL:
        return vcmpgeq_s32(a, b);
    case HIL_PLAIN_LESS:
        return vcmpltq_s32(a, b);
    default:
        return vcmpleq_s32(a, b);
    }
}

/* Of both operands without their zero points: the answer of a comparison, or the result, clamped. */
HIL_INLINE int32x4_t scaled_binary_mve_lanes(const scaled_binary_mve_shape *s, int32x4_t a, int32x4_t b)
{
    int32x4_t made;
    if (s->operation == HIL_PLAIN_MUL) {
        made = vmulq_s32(a, b);
    } else {
        /* brought to a common scale with left_shift bits of head room */
        const int32x4_t x = hil_mve_requantize(vshlq_r_s32(a, s->left_shift), s->a_multiplier, s->a_shift);
        const int32x4_t y = hil_mve_requantize(vshlq_r_s32(b, s->left_shift), s->b_multiplier, s->b_shift);
        const int32x4_t first = s->swapped ? y : x, second = s->swapped ? x : y;
        if (hil_plain_asks(s->operation)) {
            return vpselq_s32(vdupq_n_s32(1), vdupq_n_s32(0), scaled_binary_mve_holds(first, second, s->operation));
        }
        made = s->operation == HIL_PLAIN_ADD ? vaddq_s32(first, second) : vsubq_s32(first, second);
        if (s->operation == HIL_PLAIN_SQUARED_DIFFERENCE) {
            made = vmulq_s32(made, made);
        }
    }
    made = vaddq_n_s32(hil_mve_requantize(made, s->out_multiplier, s->out_shift), s->out_zero);
    return hil_mve_clamp(made, s->clamp_min, s->clamp_max);
}

HIL_INLINE void scaled_binary_mve_run(const uint8_t *a, const uint8_t *b, uint8_t *output, const scaled_binary_mve_shape *s)
{
    const int32_t size = s->type == HIL_S16 ? 2 : 1;
    const int32_t out_type = hil_plain_asks(s->operation) ? HIL_S8 : s->type;
    const int32_t out_size = out_type == HIL_S16 ? 2 : 1;
    int32x4_t y = vdupq_n_s32(hil_load(b, 0, s->type) - s->b_zero);
    int32_t left = s->nest.n4;
    for (; left >= 4; left -= 4) {
        const int32x4_t x = vsubq_n_s32(scaled_binary_mve_load(a, s->type), s->a_zero);
        if (s->nest.b4 == 1) {
            y = vsubq_n_s32(scaled_binary_mve_load(b, s->type), s->b_zero);
            b += 4 * size;
        }
        scaled_binary_mve_store(output, out_type, scaled_binary_mve_lanes(s, x, y));
        a += 4 * size;
        output += 4 * out_size;
    }
    if (left > 0) {
        const mve_pred16_t lanes = vctp32q((uint32_t)left);
        const int32x4_t x = vsubq_n_s32(scaled_binary_mve_load_some(a, s->type, lanes), s->a_zero);
        if (s->nest.b4 == 1) {
            y = vsubq_n_s32(scaled_binary_mve_load_some(b, s->type, lanes), s->b_zero);
        }
        scaled_binary_mve_store_some(output, out_type, scaled_binary_mve_lanes(s, x, y), lanes);
    }
}

HIL_INLINE void scaled_binary_mve(const uint8_t *a, const uint8_t *b, uint8_t *output, const scaled_binary_mve_shape *s)
{
    const int32_t size = s->type == HIL_S16 ? 2 : 1;
    const int32_t row = s->nest.n4 * (hil_plain_asks(s->operation) ? 1 : size);
    HIL_NEST_FOR(s->nest) {
        const int32_t from_a = HIL_NEST_A(0, s->nest);
        const int32_t from_b = HIL_NEST_B(0, s->nest);
        scaled_binary_mve_run(a + size * from_a, b + size * from_b, output, s);
        output += row;
    }
}

#endif
