/* Copies a block of up to five dimensions with any steps, MVE: STRIDED_SLICE and PAD. Offsets and steps in bytes. */
#ifndef HIL_KERNELS_STRIDED_COPY_MVE_H
#define HIL_KERNELS_STRIDED_COPY_MVE_H

#include "copy_mve.h"

typedef struct {
    int32_t bytes; /* of one run, copied as a whole */
    int32_t n0, n1, n2, n3, n4;
    int32_t in_offset, in0, in1, in2, in3, in4;
    int32_t out_offset, out0, out1, out2, out3, out4;
} strided_copy_mve_shape;

HIL_INLINE void strided_copy_mve(const uint8_t *input, uint8_t *output, const strided_copy_mve_shape *s)
{
    const uint8_t *from = input + s->in_offset;
    uint8_t *to = output + s->out_offset;
    for (int32_t i0 = 0; i0 < s->n0; ++i0) {
        for (int32_t i1 = 0; i1 < s->n1; ++i1) {
            for (int32_t i2 = 0; i2 < s->n2; ++i2) {
                for (int32_t i3 = 0; i3 < s->n3; ++i3) {
                    for (int32_t i4 = 0; i4 < s->n4; ++i4) {
                        copy_mve(to + i0 * s->out0 + i1 * s->out1 + i2 * s->out2 + i3 * s->out3 + i4 * s->out4,
                                 from + i0 * s->in0 + i1 * s->in1 + i2 * s->in2 + i3 * s->in3 + i4 * s->in4, s->bytes);
                    }
                }
            }
        }
    }
}

#endif
