/* ADD, SUB and MUL, int8, with broadcasting, as ONNX defines them between DequantizeLinear and QuantizeLinear: in float32,
 * rounded to the nearest output, ties to even. May overwrite an operand that has the output's shape. */
#ifndef HIL_KERNELS_BINARY_S8_ONNX_PORTABLE_H
#define HIL_KERNELS_BINARY_S8_ONNX_PORTABLE_H

#include "floats.h"
#include "nest.h"
#include "plain_binary_portable.h"

typedef struct {
    hil_nest nest;
    int32_t operation; /* HIL_PLAIN_ADD, HIL_PLAIN_SUB or HIL_PLAIN_MUL, a literal */
    int32_t a_zero, b_zero, out_zero, clamp_min, clamp_max;
} binary_s8_onnx_portable_shape;

HIL_INLINE float binary_s8_onnx_portable_one(float a, float b, int32_t operation)
{
    if (operation == HIL_PLAIN_MUL) {
        return hil_rounded(a * b);
    }
    return hil_rounded(operation == HIL_PLAIN_ADD ? a + b : a - b);
}

HIL_INLINE void binary_s8_onnx_portable(const uint8_t *a, const uint8_t *b, uint8_t *output, float a_scale, float b_scale,
                                        float out_scale, const binary_s8_onnx_portable_shape *s)
{
    const float low = (float)(s->clamp_min - s->out_zero);
    const float high = (float)(s->clamp_max - s->out_zero);
    HIL_NEST_FOR(s->nest) {
        const uint8_t *x = HIL_NEST_A(a, s->nest);
        const uint8_t *y = HIL_NEST_B(b, s->nest);
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            const float left = hil_rounded(hil_float_of((int8_t)x[i * s->nest.a4] - s->a_zero) * a_scale);
            const float right = hil_rounded(hil_float_of((int8_t)y[i * s->nest.b4] - s->b_zero) * b_scale);
            const float steps = binary_s8_onnx_portable_one(left, right, s->operation) / out_scale;
            *output++ = (uint8_t)(hil_nearest_even(hil_float_clamp(steps, low, high)) + s->out_zero);
        }
    }
}

#endif
