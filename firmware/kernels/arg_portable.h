/* ARG_MAX and ARG_MIN along an axis: the index of the first of the largest or smallest, as int32. */
#ifndef HIL_KERNELS_ARG_PORTABLE_H
#define HIL_KERNELS_ARG_PORTABLE_H

#include "floats.h"

#define HIL_ARG_OF_ARG_MAX 0
#define HIL_ARG_OF_ARG_MIN 1

typedef struct {
    int32_t rows, size, inner; /* elements before, along and behind the axis */
    int32_t is_float, smallest;
} arg_portable_shape;

/* Whether the element at `a` comes before the one at `b`. */
HIL_INLINE int hil_arg_better(const uint8_t *input, int32_t a, int32_t b, const arg_portable_shape *s)
{
    if (s->is_float) {
        const float x = hil_float_load(input + 4 * a), y = hil_float_load(input + 4 * b);
        return s->smallest ? x < y : x > y;
    }
    const int8_t x = (int8_t)input[a], y = (int8_t)input[b];
    return s->smallest ? x < y : x > y;
}

HIL_INLINE void arg_portable(const uint8_t *input, uint8_t *output, const arg_portable_shape *s)
{
    for (int32_t r = 0; r < s->rows; ++r) {
        for (int32_t i = 0; i < s->inner; ++i) {
            const int32_t first = r * s->size * s->inner + i;
            int32_t best = 0;
            for (int32_t k = 1; k < s->size; ++k) {
                best = hil_arg_better(input, first + k * s->inner, first + best * s->inner, s) ? k : best;
            }
            memcpy(output, &best, 4);
            output += 4;
        }
    }
}

#endif
