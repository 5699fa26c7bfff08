/* UNIDIRECTIONAL_SEQUENCE_LSTM on Armv8.1-M MVE: four units from their gates (lstm_s8.h). */
#ifndef HIL_KERNELS_LSTM_MVE_H
#define HIL_KERNELS_LSTM_MVE_H

#include "lstm_s8.h"
#include "quad_s8_mve.h"

/* low and high points at `place` and `part` 2^-bits of the way between them, times 2^bits */
HIL_INLINE int32x4_t lstm_mve_between(const uint16_t *table, uint32x4_t place, uint32x4_t part, int32_t bits)
{
    const uint32x4_t low = vldrhq_gather_shifted_offset_u32(table, place);
    const uint32x4_t high = vldrhq_gather_shifted_offset_u32(table + 1, place);
    return vreinterpretq_s32_u32(vaddq_u32(vshlq_r_u32(low, bits), vmulq_u32(part, vsubq_u32(high, low))));
}

/* hil_sigmoid16 of three times x */
HIL_INLINE int32x4_t lstm_mve_sigmoid(const uint16_t *table, int32x4_t x)
{
    const uint32x4_t magnitude = vreinterpretq_u32_s32(vabsq_s32(vmulq_n_s32(x, 3)));
    const uint32x4_t part = vandq_u32(magnitude, vdupq_n_u32(0x1ff));
    const int32x4_t result = lstm_mve_between(table, vshrq_n_u32(magnitude, 9), part, 9);
    const int32x4_t up = vaddq_n_s32(result, 1 << 9);
    const int32x4_t down = vsubq_s32(vdupq_n_s32((1 << 25) + (1 << 9) - 1), result);
    return vshrq_n_s32(vpselq_s32(up, down, vcmpgeq_n_s32(x, 0)), 10);
}

/* hil_tanh16 */
HIL_INLINE int32x4_t lstm_mve_tanh(const uint16_t *table, int32x4_t x)
{
    const uint32x4_t size = vreinterpretq_u32_s32(vabsq_s32(x));
    const uint32x4_t magnitude = vminq_u32(size, vdupq_n_u32(HIL_SIGMOID_LAST << 8));
    const uint32x4_t part = vandq_u32(magnitude, vdupq_n_u32(0xff));
    const int32x4_t result = lstm_mve_between(table, vshrq_n_u32(magnitude, 8), part, 8);
    const int32x4_t up = vaddq_n_s32(result, (1 << 7) - (1 << 23));
    const int32x4_t down = vsubq_s32(vdupq_n_s32((1 << 23) + (1 << 7) - 1), result);
    return vshrq_n_s32(vpselq_s32(up, down, vcmpgeq_n_s32(x, 0)), 8);
}

HIL_INLINE int32x4_t lstm_mve_scaled(int32x4_t x, const lstm_s8_factor *factor)
{
    return quad_mve_requantize(x, factor->multiplier, factor->shift);
}

HIL_INLINE int32x4_t lstm_mve_half(int32x4_t x)
{
    return quad_mve_clamp(x, INT16_MIN, INT16_MAX);
}

/* A gate of four units before its function; `block` is what the kernel's own function knows. */
typedef int32x4_t lstm_mve_gate(const void *block, int32_t which, const lstm_s8_shape *s);

/* The new hidden values, not clamped, and their cells. */
HIL_INLINE int32x4_t lstm_mve_hidden(const void *block, int16_t *cell, const uint16_t *table, const lstm_s8_shape *s,
                                     mve_pred16_t lanes, lstm_mve_gate *gate)
{
    const int32x4_t forget = lstm_mve_sigmoid(table, gate(block, 1, s));
    const int32x4_t held = vldrhq_z_s32(cell, lanes);
    const int32x4_t kept = lstm_mve_half(lstm_mve_scaled(vmulq_s32(forget, held), &s->forget));
    const int32x4_t taken = lstm_mve_sigmoid(table, gate(block, 0, s));
    const int32x4_t offered = lstm_mve_tanh(table, vmulq_n_s32(gate(block, 2, s), 3));
    const int32x4_t added = lstm_mve_half(lstm_mve_scaled(vmulq_s32(taken, offered), &s->added));
    const int32x4_t now = quad_mve_clamp(vaddq_s32(kept, added), s->clip_min, s->clip_max);
    vstrhq_p_s32(cell, now, lanes);
    const int32x4_t shown = lstm_mve_tanh(table, vrshlq_n_s32(vmulq_n_s32(now, s->tanh_multiplier), -s->tanh_right));
    const int32x4_t open = lstm_mve_sigmoid(table, gate(block, 3, s));
    return vaddq_n_s32(lstm_mve_scaled(vmulq_s32(open, shown), &s->hidden), s->hidden_zero);
}

#endif
