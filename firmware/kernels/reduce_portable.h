/* Reductions over any dimensions: up to three kept and three reduced runs of dimensions, with their steps in elements.
 * Type and operation are literals, of which the compiler keeps one. Floats are summed in the input's order. */
#ifndef HIL_KERNELS_REDUCE_PORTABLE_H
#define HIL_KERNELS_REDUCE_PORTABLE_H

#include <float.h>

#include "convert.h"
#include "floats.h"
#include "requantize.h"

#define HIL_REDUCE_S8 0 /* as HIL_S8 */
#define HIL_REDUCE_BOOL 1
#define HIL_REDUCE_S16 2 /* as HIL_S16 */
#define HIL_REDUCE_F32 3

#define HIL_REDUCE_OF_SUM 0
#define HIL_REDUCE_OF_MEAN 1
#define HIL_REDUCE_OF_REDUCE_MAX 2
#define HIL_REDUCE_OF_REDUCE_MIN 3
#define HIL_REDUCE_OF_REDUCE_ALL 3 /* of booleans */

typedef struct {
    int32_t type, operation;
    int32_t kept0, kept1, kept2, kept_step0, kept_step1, kept_step2;
    int32_t reduced0, reduced1, reduced2, reduced_step0, reduced_step1, reduced_step2;
    int32_t in_zero, multiplier, shift, out_zero; /* of integers that are summed */
    int32_t count;                                /* of floats that a mean is of */
} reduce_portable_shape;

HIL_INLINE int32_t hil_reduce_integer(int32_t sofar, int32_t value, const reduce_portable_shape *s)
{
    if (s->operation == HIL_REDUCE_OF_REDUCE_MAX) {
        return value > sofar ? value : sofar;
    }
    return s->operation == HIL_REDUCE_OF_REDUCE_MIN ? (value < sofar ? value : sofar) : sofar + value - s->in_zero;
}

HIL_INLINE float hil_reduce_float(float sofar, float value, const reduce_portable_shape *s)
{
    if (s->operation == HIL_REDUCE_OF_REDUCE_MAX) {
        return value > sofar ? value : sofar;
    }
    return s->operation == HIL_REDUCE_OF_REDUCE_MIN ? (value < sofar ? value : sofar) : sofar + value;
}

HIL_INLINE void hil_reduce_integers(const uint8_t *input, int32_t first, uint8_t *output, int32_t at,
                                    const reduce_portable_shape *s)
{
    const int extreme = s->operation == HIL_REDUCE_OF_REDUCE_MAX || s->operation == HIL_REDUCE_OF_REDUCE_MIN;
    int32_t sofar = extreme ? hil_load(input, first, s->type) : 0;
    for (int32_t r0 = 0; r0 < s->reduced0; ++r0) {
        for (int32_t r1 = 0; r1 < s->reduced1; ++r1) {
            const int32_t line = first + r0 * s->reduced_step0 + r1 * s->reduced_step1;
            for (int32_t r2 = 0; r2 < s->reduced2; ++r2) {
                sofar = hil_reduce_integer(sofar, hil_load(input, line + r2 * s->reduced_step2, s->type), s);
            }
        }
    }
    if (!extreme) {
        const int32_t low = s->type == HIL_REDUCE_S16 ? INT16_MIN : INT8_MIN;
        const int32_t high = s->type == HIL_REDUCE_S16 ? INT16_MAX : INT8_MAX;
        sofar = hil_clamp(hil_wrap_add(hil_requantize(sofar, s->multiplier, s->shift), s->out_zero), low, high);
    }
    hil_store(output, at, s->type, sofar);
}

HIL_INLINE void hil_reduce_floats(const uint8_t *input, int32_t first, uint8_t *output, int32_t at,
                                  const reduce_portable_shape *s)
{
    const int extreme = s->operation == HIL_REDUCE_OF_REDUCE_MAX || s->operation == HIL_REDUCE_OF_REDUCE_MIN;
    /* from the other end of finite numbers on, as in TFLM: there infinite ones are none, nor is what is no number */
    float sofar = extreme ? (s->operation == HIL_REDUCE_OF_REDUCE_MAX ? -FLT_MAX : FLT_MAX) : 0.0f;
    for (int32_t r0 = 0; r0 < s->reduced0; ++r0) {
        for (int32_t r1 = 0; r1 < s->reduced1; ++r1) {
            const int32_t line = first + r0 * s->reduced_step0 + r1 * s->reduced_step1;
            for (int32_t r2 = 0; r2 < s->reduced2; ++r2) {
                sofar = hil_reduce_float(sofar, hil_float_load(input + 4 * (line + r2 * s->reduced_step2)), s);
            }
        }
    }
    hil_float_store(output + 4 * at, s->operation == HIL_REDUCE_OF_MEAN ? sofar / hil_float_of(s->count) : sofar);
}

HIL_INLINE void reduce_portable(const uint8_t *input, uint8_t *output, const reduce_portable_shape *s)
{
    int32_t at = 0;
    for (int32_t k0 = 0; k0 < s->kept0; ++k0) {
        for (int32_t k1 = 0; k1 < s->kept1; ++k1) {
            for (int32_t k2 = 0; k2 < s->kept2; ++k2) {
                const int32_t first = k0 * s->kept_step0 + k1 * s->kept_step1 + k2 * s->kept_step2;
                if (s->type == HIL_REDUCE_F32) {
                    hil_reduce_floats(input, first, output, at, s);
                } else {
                    hil_reduce_integers(input, first, output, at, s);
                }
                ++at;
            }
        }
    }
}

#endif
