/* Copies one input pixel for every output pixel: RESIZE_NEAREST_NEIGHBOR. */
#ifndef HIL_KERNELS_RESIZE_NEAREST_PORTABLE_H
#define HIL_KERNELS_RESIZE_NEAREST_PORTABLE_H

#include <string.h>

#include "kernel.h"

typedef struct {
    int32_t batches, in_h, in_w, out_h, out_w, bytes; /* bytes of a pixel */
} resize_nearest_portable_shape;

/* rows[out_h], columns[out_w]: the input's row and column of each of the output's */
HIL_INLINE void resize_nearest_portable(const uint8_t *input, const int16_t *rows, const int16_t *columns,
                                        uint8_t *output, const resize_nearest_portable_shape *s)
{
    const int32_t line = s->out_w * s->bytes;
    for (int32_t b = 0; b < s->batches; ++b) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            const uint8_t *from = input + (b * s->in_h + rows[y]) * s->in_w * s->bytes;
            if (y > 0 && rows[y] == rows[y - 1]) {
                memcpy(output, output - line, (size_t)line);
                output += line;
                continue;
            }
            for (int32_t x = 0; x < s->out_w; ++x) {
                memcpy(output, from + columns[x] * s->bytes, (size_t)s->bytes);
                output += s->bytes;
            }
        }
    }
}

#endif
