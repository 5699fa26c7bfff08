#include "svdf_s8_portable.h"

#include "quad_s8.h"

HIL_INLINE void svdf_s8_portable_dot(uint32_t *sums, const int32_t *starts, const int8_t *x, const int8_t *weights,
                                     int32_t count)
{
    quad_s8_dot(sums, x, weights, count, 4);
    sums[0] += (uint32_t)starts[0];
    sums[1] += (uint32_t)starts[1];
    sums[2] += (uint32_t)starts[2];
    sums[3] += (uint32_t)starts[3];
}

HIL_SHARED void svdf_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *starts, const int8_t *time,
                                 const int32_t *biases, int8_t *state, int8_t *output, const svdf_s8_portable_shape *s)
{
    svdf_s8(input, weights, starts, time, biases, state, output, s, svdf_s8_portable_dot, svdf_s8_step_plain, 0);
}
