/* SVDF, int8, with a state of int8 or int16: what the kernels for all cores share.
 *
 * Filters go in fours: `dot` gives four sums of one row of inputs and packed weights, whose rows beyond the last filter are
 * zero. Each filter's row of the state then moves one step on, and is summed with its time weights. starts: the input's zero
 * point folded in, by filter, to the end of the last quad. biases: the state's folded in, by unit. Sums wrap, as TensorFlow Lite Micro's do. */
#ifndef HIL_KERNELS_SVDF_S8_H
#define HIL_KERNELS_SVDF_S8_H

#include "requantize.h"

typedef struct {
    int32_t batches, in_n, filters, rank, memory;
    int32_t quad; /* bytes of the packed weights of four filters */
    int32_t features_multiplier, features_shift;
    int32_t state_low, state_high, state_zero;
    int32_t out_multiplier, out_shift, out_zero, clamp_min, clamp_max;
} svdf_s8_shape;

typedef void svdf_s8_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *weights, int32_t count);

/* Moves one filter's row of the state on to its newest value; returns its sum with the time weights. */
typedef uint32_t svdf_s8_step(int8_t *row, const int8_t *time, int32_t memory, int32_t newest);
typedef uint32_t svdf_s16_step(int16_t *row, const int16_t *time, int32_t memory, int32_t newest);

HIL_INLINE int32_t svdf_s8_newest(const svdf_s8_shape *s, uint32_t sum)
{
    const int32_t scaled = hil_requantize((int32_t)sum, s->features_multiplier, s->features_shift);
    return hil_clamp(scaled, s->state_low, s->state_high) + s->state_zero;
}

HIL_INLINE int8_t svdf_s8_output(const svdf_s8_shape *s, uint32_t sum)
{
    const int32_t scaled = hil_requantize((int32_t)sum, s->out_multiplier, s->out_shift);
    return (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), s->clamp_min, s->clamp_max);
}

/* One of `step` and `wide_step` is there, and is what time and state hold. */
HIL_INLINE void svdf_s8(const int8_t *input, const int8_t *weights, const int32_t *starts, const void *time,
                        const int32_t *biases, void *state, int8_t *output, const svdf_s8_shape *s, svdf_s8_dot *dot,
                        svdf_s8_step *step, svdf_s16_step *wide_step)
{
    const int32_t memory = s->memory;
    int32_t row = 0; /* of the state, over all batches */
    for (int32_t n = 0; n < s->batches; ++n) {
        const int8_t *w = weights;
        int32_t left = s->rank;
        const int32_t *bias = biases;
        uint32_t sum = (uint32_t)*bias;
        for (int32_t f = 0; f < s->filters; f += 4) {
            uint32_t sums[4];
            dot(sums, starts + f, input, w, s->in_n);
            w += s->quad;
            for (int32_t i = 0; i < 4 && f + i < s->filters; ++i, ++row) {
                const int32_t newest = svdf_s8_newest(s, sums[i]);
                const int32_t at = (f + i) * memory;
                if (step != 0) {
                    sum += step((int8_t *)state + row * memory, (const int8_t *)time + at, memory, newest);
                } else {
                    sum += wide_step((int16_t *)state + row * memory, (const int16_t *)time + at, memory, newest);
                }
                if (--left == 0) {
                    *output++ = svdf_s8_output(s, sum);
                    left = s->rank;
                    sum = f + i + 1 < s->filters ? (uint32_t)*++bias : 0;
                }
            }
        }
        input += s->in_n;
    }
}

/* One step in plain C. An int8 state wraps around, as in TensorFlow Lite Micro. */
HIL_INLINE uint32_t svdf_s8_step_plain(int8_t *row, const int8_t *time, int32_t memory, int32_t newest)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < memory - 1; ++i) {
        const int32_t held = row[i + 1];
        row[i] = (int8_t)held;
        sum += (uint32_t)(held * time[i]);
    }
    const int32_t kept = (newest & 127) - (newest & 128);
    row[memory - 1] = (int8_t)kept;
    return sum + (uint32_t)(kept * time[memory - 1]);
}

HIL_INLINE uint32_t svdf_s16_step_plain(int16_t *row, const int16_t *time, int32_t memory, int32_t newest)
{
    uint32_t sum = 0;
    for (int32_t i = 0; i < memory - 1; ++i) {
        const int32_t held = row[i + 1];
        row[i] = (int16_t)held;
        sum += (uint32_t)(held * time[i]);
    }
    const int32_t kept = (newest & 32767) - (newest & 32768);
    row[memory - 1] = (int16_t)kept;
    return sum + (uint32_t)(kept * time[memory - 1]);
}

#endif
