#include "fully_connected_f32_chained.h"

HIL_SHARED void fully_connected_f32_chained(const float *input, const float *weights, const float *bias, float *output, float low,
                                            float high, const fully_connected_f32_chained_shape *s)
{
    fully_connected_f32(input, weights, bias, output, low, high, QUAD_F32_CHAINED, s);
}
