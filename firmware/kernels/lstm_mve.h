/* UNIDIRECTIONAL_SEQUENCE_LSTM on Armv8.1-M MVE: four units from their gates (lstm_s8.h). */
#ifndef HIL_KERNELS_LSTM_MVE_H
#define HIL_KERNELS_LSTM_MVE_H

#include "lstm_s8.h"
#include "quad_s8_mve.h"
#include "sigmoid16_mve.h"

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
    const int32x4_t forget = hil_mve_sigmoid16(table, vmulq_n_s32(gate(block, 1, s), 3));
    const int32x4_t held = vldrhq_z_s32(cell, lanes);
    const int32x4_t kept = lstm_mve_half(lstm_mve_scaled(vmulq_s32(forget, held), &s->forget));
    const int32x4_t taken = hil_mve_sigmoid16(table, vmulq_n_s32(gate(block, 0, s), 3));
    const int32x4_t offered = hil_mve_tanh16(table, vmulq_n_s32(gate(block, 2, s), 3));
    const int32x4_t added = lstm_mve_half(lstm_mve_scaled(vmulq_s32(taken, offered), &s->added));
    const int32x4_t now = quad_mve_clamp(vaddq_s32(kept, added), s->clip_min, s->clip_max);
    vstrhq_p_s32(cell, now, lanes);
    const int32x4_t shown = hil_mve_tanh16(table, vrshlq_n_s32(vmulq_n_s32(now, s->tanh_multiplier), -s->tanh_right));
    const int32x4_t open = hil_mve_sigmoid16(table, vmulq_n_s32(gate(block, 3, s), 3));
    return vaddq_n_s32(lstm_mve_scaled(vmulq_s32(open, shown), &s->hidden), s->hidden_zero);
}

#endif
