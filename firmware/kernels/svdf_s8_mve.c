#include "svdf_s8_mve.h"

#include "svdf_mve.h"

HIL_INLINE void move_state(void *state, int32_t count)
{
    int8_t *p = state;
    for (int32_t left = count - 1; left > 0; left -= 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)left);
        vstrbq_p_s8(p, vldrbq_z_s8(p + 1, lanes), lanes);
        p += 16;
    }
}

HIL_INLINE void place_newest(void *state, int32_t at, int32_t memory, int32x4_t newest, mve_pred16_t lanes)
{
    const uint32x4_t places = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)memory);
    vstrbq_scatter_offset_p_s32((int8_t *)state + at, places, newest, lanes);
}

HIL_INLINE int32_t row_sum(const void *state, int32_t at, const void *time, int32_t time_at, int32_t memory)
{
    const int8_t *x = (const int8_t *)state + at;
    const int8_t *w = (const int8_t *)time + time_at;
    int32_t sum = 0;
    for (; memory >= 16; memory -= 16) {
        sum = vmladavaq_s8(sum, vldrbq_s8(x), vldrbq_s8(w));
        x += 16;
        w += 16;
    }
    if (memory > 0) {
        const mve_pred16_t lanes = vctp8q((uint32_t)memory);
        sum = vmladavaq_s8(sum, vldrbq_z_s8(x, lanes), vldrbq_z_s8(w, lanes));
    }
    return sum;
}

HIL_SHARED void svdf_s8_mve(const int8_t *input, const int8_t *weights, const int32_t *starts, const int8_t *time,
                            const int32_t *biases, int8_t *state, int8_t *output, const svdf_s8_mve_shape *s)
{
    svdf_mve(input, weights, starts, time, biases, state, output, s, move_state, place_newest, row_sum);
}
