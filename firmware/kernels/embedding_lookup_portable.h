/* EMBEDDING_LOOKUP of an int8 table into float32: scale * each element of the rows. Numbers beyond the table are its ends. */
#ifndef HIL_KERNELS_EMBEDDING_LOOKUP_PORTABLE_H
#define HIL_KERNELS_EMBEDDING_LOOKUP_PORTABLE_H

#include "floats.h"
#include "requantize.h"

typedef struct {
    int32_t rows, columns; /* of the table */
    int32_t picked;
} embedding_lookup_portable_shape;

HIL_INLINE void embedding_lookup_portable(const int8_t *table, const uint8_t *numbers, uint8_t *output, float scale,
                                          const embedding_lookup_portable_shape *s)
{
    for (int32_t i = 0; i < s->picked; ++i) {
        int32_t number;
        memcpy(&number, numbers + 4 * i, 4);
        const int8_t *row = table + hil_clamp(number, 0, s->rows - 1) * s->columns;
        for (int32_t c = 0; c < s->columns; ++c) {
            hil_float_store(output, scale * (float)row[c]);
            output += 4;
        }
    }
}

#endif
