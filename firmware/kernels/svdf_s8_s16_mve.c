#include "svdf_s8_s16_mve.h"

#include "svdf_mve.h"

HIL_INLINE void move_state(void *state, int32_t count)
{
    int16_t *p = state;
    for (int32_t left = count - 1; left > 0; left -= 8) {
        const mve_pred16_t lanes = vctp16q((uint32_t)left);
        vstrhq_p_s16(p, vldrhq_z_s16(p + 1, lanes), lanes);
        p += 8;
    }
}

HIL_INLINE void place_newest(void *state, int32_t at, int32_t memory, int32x4_t newest, mve_pred16_t lanes)
{
    const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)memory);
    vstrhq_scatter_shifted_offset_p_s32((int16_t *)state + at, places, newest, lanes);
}

HIL_INLINE int32_t row_sum(const void *state, int32_t at, const void *time, int32_t time_at, int32_t memory)
{
    const int16_t *x = (const int16_t *)state + at;
    const int16_t *w = (const int16_t *)time + time_at;
    int32_t sum = 0;
    for (; memory >= 8; memory -= 8) {
        sum = vmladavaq_s16(sum, vldrhq_s16(x), vldrhq_s16(w));
        x += 8;
        w += 8;
    }
    if (memory > 0) {
        const mve_pred16_t lanes = vctp16q((uint32_t)memory);
        sum = vmladavaq_s16(sum, vldrhq_z_s16(x, lanes), vldrhq_z_s16(w, lanes));
    }
    return sum;
}

HIL_SHARED void svdf_s8_s16_mve(const int8_t *input, const int8_t *weights, const int32_t *starts, const int16_t *time,
                                const int32_t *biases, int16_t *state, int8_t *output, const svdf_s8_s16_mve_shape *s)
{
    svdf_mve(input, weights, starts, time, biases, state, output, s, move_state, place_newest, row_sum);
}
