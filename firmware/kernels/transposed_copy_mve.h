/* Copies planes whose rows become columns, MVE, of elements of one, two or four bytes: TRANSPOSE and its like. Columns are
 * gathered, or rows scattered, whichever are longer. */
#ifndef HIL_KERNELS_TRANSPOSED_COPY_MVE_H
#define HIL_KERNELS_TRANSPOSED_COPY_MVE_H

#include "lines_mve.h"
#include "nest.h"

typedef struct {
    int32_t size, gathers;
    int32_t in_offset, out_offset;
    lines_mve_shape plane;
    hil_nest nest; /* over planes; a: the input, b: the output, in bytes */
} transposed_copy_mve_shape;

HIL_INLINE void transposed_copy_lines(const uint8_t *x, uint8_t *y, const transposed_copy_mve_shape *s)
{
    if (s->gathers) {
        s->size == 1   ? gather_bytes_mve(x, y, &s->plane)
        : s->size == 2 ? gather_halves_mve(x, y, &s->plane)
                       : gather_words_mve(x, y, &s->plane);
    } else {
        s->size == 1   ? scatter_bytes_mve(x, y, &s->plane)
        : s->size == 2 ? scatter_halves_mve(x, y, &s->plane)
                       : scatter_words_mve(x, y, &s->plane);
    }
}

HIL_INLINE void transposed_copy_mve(const uint8_t *input, uint8_t *output, const transposed_copy_mve_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            transposed_copy_lines(HIL_NEST_A(input + s->in_offset, s->nest) + i * s->nest.a4,
                                  HIL_NEST_B(output + s->out_offset, s->nest) + i * s->nest.b4, s);
        }
    }
}

#endif
