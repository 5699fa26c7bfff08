/* Copies a block of up to five dimensions with any steps: STRIDED_SLICE and PAD. Offsets and steps are in bytes. */
#ifndef HIL_KERNELS_STRIDED_COPY_PORTABLE_H
#define HIL_KERNELS_STRIDED_COPY_PORTABLE_H

#include <string.h>

#include "nest.h"

typedef struct {
    int32_t bytes; /* of one run, copied as a whole */
    int32_t in_offset, out_offset;
    hil_nest nest; /* a: the input, b: the output */
} strided_copy_portable_shape;

HIL_INLINE void strided_copy_portable(const uint8_t *input, uint8_t *output, const strided_copy_portable_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            memcpy(HIL_NEST_B(output + s->out_offset, s->nest) + i * s->nest.b4,
                   HIL_NEST_A(input + s->in_offset, s->nest) + i * s->nest.a4, (size_t)s->bytes);
        }
    }
}

#endif
