/* Copies slices picked by tuples of up to five indices: GATHER_ND. Indices beyond a dimension are its ends. */
#ifndef HIL_KERNELS_GATHER_ND_PORTABLE_H
#define HIL_KERNELS_GATHER_ND_PORTABLE_H

#include <string.h>

#include "requantize.h"

typedef struct {
    int32_t picked, depth, bytes;   /* tuples, indices of one, and bytes of a slice */
    int32_t n0, n1, n2, n3, n4;     /* size of each dimension; those beyond `depth` are not read */
} gather_nd_portable_shape;

HIL_INLINE void gather_nd_portable(const uint8_t *input, const uint8_t *indices, uint8_t *output,
                                   const gather_nd_portable_shape *s)
{
    const int32_t sizes[5] = {s->n0, s->n1, s->n2, s->n3, s->n4};
    for (int32_t i = 0; i < s->picked; ++i) {
        int32_t place = 0;
        for (int32_t d = 0; d < s->depth; ++d) {
            int32_t index;
            memcpy(&index, indices + (i * s->depth + d) * 4, 4);
            place = place * sizes[d] + hil_clamp(index, 0, sizes[d] - 1);
        }
        memcpy(output + i * s->bytes, input + place * s->bytes, (size_t)s->bytes);
    }
}

#endif
