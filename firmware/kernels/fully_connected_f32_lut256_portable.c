#include "fully_connected_f32_lut256_portable.h"

HIL_SHARED void fully_connected_f32_lut256_portable(const float *input, const uint8_t *indices, const float *values,
                                              const float *bias, float *output, float *weights, float low, float high,
                                              const fully_connected_f32_lut256_portable_shape *s)
{
    fully_connected_f32_lut256(input, indices, values, bias, output, weights, low, high, QUAD_F32_APART, s);
}
