#include "svdf_s8_s16_mve.h"

#include "quad_s8_mve.h"

HIL_INLINE void svdf_s8_s16_mve_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *weights,
                         int32_t count)
{
    vst1q_u32(sums, vreinterpretq_u32_s32(quad_s8_mve_dot(starts, x, weights, count)));
}

/* Loads end at the row's end, so that what follows is read before it is written. */
HIL_INLINE uint32_t svdf_s8_s16_mve_step(int16_t *row, const int16_t *time, int32_t memory, int32_t newest)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < memory - 1; i += 8) {
        const mve_pred16_t lanes = vctp16q((uint32_t)(memory - 1 - i));
        const int16x8_t held = vldrhq_z_s16(row + i + 1, lanes);
        vstrhq_p_s16(row + i, held, lanes);
        sum = vmladavaq_s16(sum, held, vldrhq_z_s16(time + i, lanes));
    }
    const int32_t kept = (newest & 32767) - (newest & 32768);
    row[memory - 1] = (int16_t)kept;
    return (uint32_t)sum + (uint32_t)(kept * time[memory - 1]);
}

HIL_SHARED void svdf_s8_s16_mve(const int8_t *input, const int8_t *weights, const int32_t *starts, const int16_t *time,
                     const int32_t *biases, int16_t *state, int8_t *output, const svdf_s8_s16_mve_shape *s)
{
    svdf_s8(input, weights, starts, time, biases, state, output, s, svdf_s8_s16_mve_dot, 0, svdf_s8_s16_mve_step);
}
