/* Copies one input pixel for every output pixel: RESIZE_NEAREST_NEIGHBOR, MVE, of pixels that are not too short. */
#ifndef HIL_KERNELS_RESIZE_NEAREST_MVE_H
#define HIL_KERNELS_RESIZE_NEAREST_MVE_H

#include "copy_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, out_h, out_w, bytes; /* bytes of a pixel */
} resize_nearest_mve_shape;

/* rows[out_h], columns[out_w]: the input's row and column of each of the output's */
HIL_INLINE void resize_nearest_mve(const uint8_t *input, const int16_t *rows, const int16_t *columns, uint8_t *output,
                                   const resize_nearest_mve_shape *s)
{
    const int32_t line = s->out_w * s->bytes;
    for (int32_t b = 0; b < s->batches; ++b) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            const uint8_t *from = input + (b * s->in_h + rows[y]) * s->in_w * s->bytes;
            if (y > 0 && rows[y] == rows[y - 1]) {
                copy_mve(output, output - line, line);
                output += line;
                continue;
            }
            for (int32_t x = 0; x < s->out_w; ++x) {
                copy_mve(output, from + columns[x] * s->bytes, s->bytes);
                output += s->bytes;
            }
        }
    }
}

#endif
