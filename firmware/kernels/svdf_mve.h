/* SVDF, int8, on Armv8.1-M MVE: what the kernels for states of int8 and int16 share.
 *
 * The state moves one step on as a whole; the newest value of each filter then overwrites what came over from the next one's
 * row. starts and biases go to the end of the last quad of filters. */
#ifndef HIL_KERNELS_SVDF_MVE_H
#define HIL_KERNELS_SVDF_MVE_H

#include "quad_s8_mve.h"
#include "svdf_s8.h"

/* Moves `count` elements one place to the front, the first out. */
typedef void svdf_mve_move(void *state, int32_t count);

/* Stores up to four lanes at element `at` of the state, `memory` elements apart. */
typedef void svdf_mve_place(void *state, int32_t at, int32_t memory, int32x4_t newest, mve_pred16_t lanes);

/* The sum of one row of the state with its time weights, elements `at` and `time_at` onward. */
typedef int32_t svdf_mve_row(const void *state, int32_t at, const void *time, int32_t time_at, int32_t memory);

HIL_INLINE int32x4_t svdf_mve_newest(int32x4_t sums, const svdf_s8_shape *s)
{
    const int32x4_t scaled = quad_mve_requantize(sums, s->features_multiplier, s->features_shift);
    return vaddq_n_s32(quad_mve_clamp(scaled, s->state_low, s->state_high), s->state_zero);
}

HIL_INLINE void svdf_mve(const int8_t *input, const int8_t *weights, const int32_t *starts, const void *time,
                         const int32_t *biases, void *state, int8_t *output, const svdf_s8_shape *s,
                         svdf_mve_move *move, svdf_mve_place *place, svdf_mve_row *row)
{
    const int32_t memory = s->memory;
    const int32_t units = s->filters / s->rank;
    move(state, s->batches * s->filters * memory);
    int32_t at = 0;
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *w = weights;
        int32_t unit = 0, left = s->rank;
        uint32_t sum = (uint32_t)biases[0];
        for (int32_t f = 0; f < s->filters; f += 4) {
            const mve_pred16_t lanes = vctp32q((uint32_t)(s->filters - f));
            place(state, at + memory - 1, memory, svdf_mve_newest(quad_s8_mve_dot(starts + f, input, w, s->in_n), s), lanes);
            w += s->quad;
            int32_t parts[4] = {0, 0, 0, 0};
            const int32_t count = s->filters - f < 4 ? s->filters - f : 4;
            for (int32_t i = 0; i < count; ++i) {
                parts[i] = row(state, at, time, (f + i) * memory, memory);
                at += memory;
            }
            if (s->rank == 1) {
                const int32x4_t sums = vaddq_s32(vld1q_s32(parts), vld1q_s32(biases + f));
                const int32x4_t scaled = quad_mve_requantize(sums, s->out_multiplier, s->out_shift);
                const int32x4_t moved = vaddq_n_s32(scaled, s->out_zero);
                vstrbq_p_s32(output + f, quad_mve_clamp(moved, s->clamp_min, s->clamp_max), lanes);
                continue;
            }
            for (int32_t i = 0; i < count; ++i) {
                sum += (uint32_t)parts[i];
                if (--left == 0) {
                    output[unit] = svdf_s8_output(s, sum);
                    left = s->rank;
                    ++unit;
                    sum = unit < units ? (uint32_t)biases[unit] : 0;
                }
            }
        }
        input += s->in_n;
        output += units;
    }
}

#endif
