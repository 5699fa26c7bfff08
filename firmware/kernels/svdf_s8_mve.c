#include "svdf_s8_mve.h"

#include "quad_s8_mve.h"

HIL_INLINE void svdf_s8_mve_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *weights,
                         int32_t count)
{
    vst1q_u32(sums, vreinterpretq_u32_s32(quad_s8_mve_dot(starts, x, weights, count)));
}

/* Loads end at the row's end, so that what follows is read before it is written. */
HIL_INLINE uint32_t svdf_s8_mve_step(int8_t *row, const int8_t *time, int32_t memory, int32_t newest)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < memory - 1; i += 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)(memory - 1 - i));
        const int8x16_t held = vldrbq_z_s8(row + i + 1, lanes);
        vstrbq_p_s8(row + i, held, lanes);
        sum = vmladavaq_s8(sum, held, vldrbq_z_s8(time + i, lanes));
    }
    const int32_t kept = (newest & 127) - (newest & 128);
    row[memory - 1] = (int8_t)kept;
    return (uint32_t)sum + (uint32_t)(kept * time[memory - 1]);
}

HIL_SHARED void svdf_s8_mve(const int8_t *input, const int8_t *weights, const int32_t *starts, const int8_t *time,
                     const int32_t *biases, int8_t *state, int8_t *output, const svdf_s8_mve_shape *s)
{
    svdf_s8(input, weights, starts, time, biases, state, output, s, svdf_s8_mve_dot, svdf_s8_mve_step, 0);
}
