/* Copies a block of up to five dimensions with any steps, MVE: STRIDED_SLICE and PAD. Offsets and steps in bytes. */
#ifndef HIL_KERNELS_STRIDED_COPY_MVE_H
#define HIL_KERNELS_STRIDED_COPY_MVE_H

#include "copy_mve.h"
#include "nest.h"

typedef struct {
    int32_t bytes; /* of one run, copied as a whole */
    int32_t in_offset, out_offset;
    hil_nest nest; /* a: the input, b: the output */
} strided_copy_mve_shape;

HIL_INLINE void strided_copy_mve(const uint8_t *input, uint8_t *output, const strided_copy_mve_shape *s)
{
    const uint8_t *from = input + s->in_offset;
    uint8_t *to = output + s->out_offset;
    HIL_NEST_FOR(s->nest) {
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            copy_mve(HIL_NEST_B(to, s->nest) + i * s->nest.b4, HIL_NEST_A(from, s->nest) + i * s->nest.a4, s->bytes);
        }
    }
}

#endif
