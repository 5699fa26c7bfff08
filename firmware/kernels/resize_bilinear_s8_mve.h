/* RESIZE_BILINEAR, int8, MVE: four channels of a pixel at a time. */
#ifndef HIL_KERNELS_RESIZE_BILINEAR_S8_MVE_H
#define HIL_KERNELS_RESIZE_BILINEAR_S8_MVE_H

#include "blend_s8_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, out_h, out_w, channels;
} resize_bilinear_s8_mve_shape;

/* rows[out_h][3], columns[out_w][3]: as resize_bilinear_portable.h has them */
HIL_INLINE void resize_bilinear_s8_mve(const int8_t *input, const int16_t *rows, const int16_t *columns, uint8_t *output,
                                       const resize_bilinear_s8_mve_shape *s)
{
    for (int32_t b = 0; b < s->batches; ++b) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            const int16_t *row = rows + 3 * y;
            const int8_t *low = input + row[0] * s->in_w * s->channels;
            const int8_t *high = input + row[1] * s->in_w * s->channels;
            for (int32_t x = 0; x < s->out_w; ++x) {
                const int16_t *column = columns + 3 * x;
                const int32_t left = column[0] * s->channels, right = column[1] * s->channels;
                const int32_t fy = row[2], fx = column[2];
                const blend_s8_mve_pixel pixel = {
                    {low + left, high + left, low + right, high + right},
                    {(1024 - fy) * (1024 - fx), fy * (1024 - fx), (1024 - fy) * fx, fy * fx},
                };
                blend_s8_mve(&pixel, output, s->channels);
                output += s->channels;
            }
        }
        input += s->in_h * s->in_w * s->channels;
    }
}

#endif
