#include "fully_connected_f32_lut256_chained.h"

HIL_SHARED void fully_connected_f32_lut256_chained(const float *input, const uint8_t *indices, const float *values,
                                              const float *bias, float *output, float *weights, float low, float high,
                                              const fully_connected_f32_lut256_chained_shape *s)
{
    fully_connected_f32_lut256(input, indices, values, bias, output, weights, low, high, QUAD_F32_CHAINED, s);
}
