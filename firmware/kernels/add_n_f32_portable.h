/* One term of ADD_N, float32: the first call begins at 0, the others add to the output. */
#ifndef HIL_KERNELS_ADD_N_F32_PORTABLE_H
#define HIL_KERNELS_ADD_N_F32_PORTABLE_H

#include "floats.h"

typedef struct {
    int32_t count, first;
} add_n_f32_portable_shape;

HIL_INLINE void add_n_f32_portable(const float *input, float *output, const add_n_f32_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        output[i] = (s->first ? 0.0f : output[i]) + input[i];
    }
}

#endif
