#include "svdf_s8_dsp.h"

#include "quad_s8_dsp.h"

HIL_SHARED void svdf_s8_dsp(const int8_t *input, const int32_t *weights, const int32_t *starts, const int8_t *time,
                            const int32_t *biases, int8_t *state, int8_t *output, const svdf_s8_dsp_shape *s)
{
    svdf_s8(input, (const int8_t *)weights, starts, time, biases, state, output, s, quad_s8_dsp_dot, svdf_s8_step_plain, 0);
}
