/* Copies `rows` runs of `bytes` bytes, MVE: CONCATENATION and SPLIT. */
#ifndef HIL_KERNELS_COPY_ROWS_MVE_H
#define HIL_KERNELS_COPY_ROWS_MVE_H

#include "copy_mve.h"

typedef struct {
    int32_t rows, bytes, in_offset, in_step, out_offset, out_step;
} copy_rows_mve_shape;

HIL_INLINE void copy_rows_mve(const uint8_t *input, uint8_t *output, const copy_rows_mve_shape *s)
{
    for (int32_t r = 0; r < s->rows; ++r) {
        copy_mve(output + s->out_offset + r * s->out_step, input + s->in_offset + r * s->in_step, s->bytes);
    }
}

#endif
