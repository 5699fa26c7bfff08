/* RESIZE_BILINEAR, int8 and float32: four input pixels weighed by their distance. */
#ifndef HIL_KERNELS_RESIZE_BILINEAR_PORTABLE_H
#define HIL_KERNELS_RESIZE_BILINEAR_PORTABLE_H

#include "floats.h"

typedef struct {
    int32_t batches, in_h, in_w, out_h, out_w, channels;
    int32_t is_float;
} resize_bilinear_portable_shape;

/* rows[out_h][3], columns[out_w][3]: the two of the input that each lies between, and how far behind the first, of int8 in
 * 1/1024; shares[out_h + out_w]: the same of float32, rows first */
HIL_INLINE void resize_bilinear_portable(const uint8_t *input, const int16_t *rows, const int16_t *columns,
                                         const float *shares, uint8_t *output, const resize_bilinear_portable_shape *s)
{
    const int32_t size = s->is_float ? 4 : 1;
    for (int32_t b = 0; b < s->batches; ++b) {
        for (int32_t y = 0; y < s->out_h; ++y) {
            const int16_t *row = rows + 3 * y;
            for (int32_t x = 0; x < s->out_w; ++x) {
                const int16_t *column = columns + 3 * x;
                const int32_t low = row[0] * s->in_w, high = row[1] * s->in_w;
                const int32_t p00 = (low + column[0]) * s->channels, p10 = (high + column[0]) * s->channels;
                const int32_t p01 = (low + column[1]) * s->channels, p11 = (high + column[1]) * s->channels;
                if (s->is_float) {
                    const float fy = shares[y], fx = shares[s->out_h + x];
                    for (int32_t c = 0; c < s->channels; ++c) {
                        float sum = 0.0f;
                        sum += hil_rounded(hil_rounded(hil_float_load(input + 4 * (p00 + c)) * (1.0f - fy)) * (1.0f - fx));
                        sum += hil_rounded(hil_rounded(hil_float_load(input + 4 * (p10 + c)) * fy) * (1.0f - fx));
                        sum += hil_rounded(hil_rounded(hil_float_load(input + 4 * (p01 + c)) * (1.0f - fy)) * fx);
                        sum += hil_rounded(hil_rounded(hil_float_load(input + 4 * (p11 + c)) * fy) * fx);
                        hil_float_store(output + 4 * c, sum);
                    }
                } else {
                    const int32_t fy = row[2], fx = column[2];
                    const int32_t w00 = (1024 - fy) * (1024 - fx), w10 = fy * (1024 - fx);
                    const int32_t w01 = (1024 - fy) * fx, w11 = fy * fx;
                    const int8_t *x00 = (const int8_t *)input + p00, *x10 = (const int8_t *)input + p10;
                    const int8_t *x01 = (const int8_t *)input + p01, *x11 = (const int8_t *)input + p11;
                    for (int32_t c = 0; c < s->channels; ++c) {
                        const int32_t sum = *x00++ * w00 + *x10++ * w10 + *x01++ * w01 + *x11++ * w11;
                        /* to the nearest, halves away from zero */
                        output[c] = (uint8_t)((sum + (1 << 19) + (sum >> 31)) >> 20 & 0xff);
                    }
                }
                output += s->channels * size;
            }
        }
        input += s->in_h * s->in_w * s->channels * size;
    }
}

#endif
