/* Copies slices picked by indices along an axis: GATHER. Indices beyond the axis are its ends. */
#ifndef HIL_KERNELS_GATHER_PORTABLE_H
#define HIL_KERNELS_GATHER_PORTABLE_H

#include <string.h>

#include "requantize.h"

typedef struct {
    int32_t batches, rows; /* dimensions that go together with the indices', and those between them and the axis */
    int32_t size, picked;  /* of the axis, and indices of a batch */
    int32_t bytes;         /* of a slice */
} gather_portable_shape;

HIL_INLINE void gather_portable(const uint8_t *input, const uint8_t *indices, uint8_t *output,
                                const gather_portable_shape *s)
{
    for (int32_t b = 0; b < s->batches; ++b) {
        for (int32_t r = 0; r < s->rows; ++r) {
            const uint8_t *slices = input + (b * s->rows + r) * s->size * s->bytes;
            for (int32_t i = 0; i < s->picked; ++i) {
                int32_t index;
                memcpy(&index, indices + (b * s->picked + i) * 4, 4);
                memcpy(output, slices + hil_clamp(index, 0, s->size - 1) * s->bytes, (size_t)s->bytes);
                output += s->bytes;
            }
        }
    }
}

#endif
