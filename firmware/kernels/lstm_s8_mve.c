#include "lstm_s8_mve.h"

#include "quad_s8_mve.h"

/* low and high points at `place` and `part` 2^-bits of the way between them, times 2^bits */
HIL_INLINE int32x4_t between(const uint16_t *table, uint32x4_t place, uint32x4_t part, int32_t bits)
{
    const uint32x4_t low = vldrhq_gather_shifted_offset_u32(table, place);
    const uint32x4_t high = vldrhq_gather_shifted_offset_u32(table + 1, place);
    return vreinterpretq_s32_u32(vaddq_u32(vshlq_r_u32(low, bits), vmulq_u32(part, vsubq_u32(high, low))));
}

/* hil_sigmoid16 of three times x */
HIL_INLINE int32x4_t sigmoid(const uint16_t *table, int32x4_t x)
{
    const uint32x4_t magnitude = vreinterpretq_u32_s32(vabsq_s32(vmulq_n_s32(x, 3)));
    const uint32x4_t part = vandq_u32(magnitude, vdupq_n_u32(0x1ff));
    const int32x4_t result = between(table, vshrq_n_u32(magnitude, 9), part, 9);
    const int32x4_t up = vaddq_n_s32(result, 1 << 9);
    const int32x4_t down = vsubq_s32(vdupq_n_s32((1 << 25) + (1 << 9) - 1), result);
    return vshrq_n_s32(vpselq_s32(up, down, vcmpgeq_n_s32(x, 0)), 10);
}

/* hil_tanh16 */
HIL_INLINE int32x4_t tanh_of(const uint16_t *table, int32x4_t x)
{
    const uint32x4_t size = vreinterpretq_u32_s32(vabsq_s32(x));
    const uint32x4_t magnitude = vminq_u32(size, vdupq_n_u32(HIL_SIGMOID_LAST << 8));
    const uint32x4_t part = vandq_u32(magnitude, vdupq_n_u32(0xff));
    const int32x4_t result = between(table, vshrq_n_u32(magnitude, 8), part, 8);
    const int32x4_t up = vaddq_n_s32(result, (1 << 7) - (1 << 23));
    const int32x4_t down = vsubq_s32(vdupq_n_s32((1 << 23) + (1 << 7) - 1), result);
    return vshrq_n_s32(vpselq_s32(up, down, vcmpgeq_n_s32(x, 0)), 8);
}

HIL_INLINE int32x4_t scaled(int32x4_t x, const lstm_s8_factor *factor)
{
    return quad_mve_requantize(x, factor->multiplier, factor->shift);
}

HIL_INLINE int32x4_t half(int32x4_t x)
{
    return quad_mve_clamp(x, INT16_MIN, INT16_MAX);
}

/* What a block of four units reads. */
typedef struct {
    const int8_t *x, *before, *weights, *recurrent;
    const int32_t *starts;
} lstm_s8_mve_block;

HIL_INLINE int32x4_t gate(const lstm_s8_mve_block *b, int32_t which, const lstm_s8_shape *s)
{
    const int32_t *starts = b->starts + 8 * which;
    const int32x4_t fed = quad_s8_mve_dot(starts, b->x, b->weights + which * s->in_quad, s->in_n);
    const int32x4_t back = quad_s8_mve_dot(starts + 4, b->before, b->recurrent + which * s->back_quad, s->units);
    return half(vaddq_s32(half(scaled(fed, &s->fed[which])), half(scaled(back, &s->back[which]))));
}

HIL_INLINE void units(const lstm_s8_mve_block *b, int16_t *cell, int8_t *y, const uint16_t *table,
                      const lstm_s8_shape *s, mve_pred16_t lanes)
{
    const int32x4_t forget = sigmoid(table, gate(b, 1, s));
    const int32x4_t kept = half(scaled(vmulq_s32(forget, vldrhq_z_s32(cell, lanes)), &s->forget));
    const int32x4_t taken = sigmoid(table, gate(b, 0, s));
    const int32x4_t offered = tanh_of(table, vmulq_n_s32(gate(b, 2, s), 3));
    const int32x4_t added = half(scaled(vmulq_s32(taken, offered), &s->added));
    const int32x4_t now = quad_mve_clamp(vaddq_s32(kept, added), s->clip_min, s->clip_max);
    vstrhq_p_s32(cell, now, lanes);
    const int32x4_t shown = tanh_of(table, vrshlq_n_s32(vmulq_n_s32(now, s->tanh_multiplier), -s->tanh_right));
    const int32x4_t open = sigmoid(table, gate(b, 3, s));
    const int32x4_t made = vaddq_n_s32(scaled(vmulq_s32(open, shown), &s->hidden), s->hidden_zero);
    vstrbq_p_s32(y, quad_mve_clamp(made, INT8_MIN, INT8_MAX), lanes);
}

HIL_SHARED void lstm_s8_mve(const int8_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *starts,
                            const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output,
                            const lstm_s8_mve_shape *s)
{
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *x = input + n * s->x_batch;
        int8_t *y = output + n * s->y_batch;
        const int8_t *before = hidden;
        for (int32_t t = 0; t < s->steps; ++t) {
            lstm_s8_mve_block block = {x, before, weights, recurrent, starts};
            for (int32_t u = 0; u < s->units; u += 4) {
                units(&block, cell + u, y + u, table, s, vctp32q((uint32_t)(s->units - u)));
                block.weights += 4 * s->in_quad;
                block.recurrent += 4 * s->back_quad;
                block.starts += 32;
            }
            before = y;
            x += s->x_step;
            y += s->y_step;
        }
        memcpy(hidden, before, (uint32_t)s->units);
        hidden += s->units;
        cell += s->units;
    }
}
