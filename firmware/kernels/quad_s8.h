/* Dot products of one or two rows of activations with four channels of weights, or with one, in plain C.
 *
 * The sums have names, not indices, so that every C compiler keeps them in registers. `channels` is a literal, 4 or 1.
 * Weights of four channels lie beside each other, tap after tap; the channels left over follow one by one. */
#ifndef HIL_KERNELS_QUAD_S8_H
#define HIL_KERNELS_QUAD_S8_H

#include "kernel.h"

HIL_INLINE void quad_s8_dot(uint32_t *sums, const int8_t *x, const int8_t *w, int32_t count, int32_t channels)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    const int8_t *const end = x + count;
    while (x < end) {
        const int32_t u = *x++;
        a += (uint32_t)(u * w[0]);
        if (channels == 4) {
            b += (uint32_t)(u * w[1]);
            c += (uint32_t)(u * w[2]);
            d += (uint32_t)(u * w[3]);
        }
        w += channels;
    }
    sums[0] = a;
    if (channels == 4) {
        sums[1] = b;
        sums[2] = c;
        sums[3] = d;
    }
}

/* the same for two rows, which share the weights' loads */
HIL_INLINE void quad_s8_dot_pair(uint32_t *first, uint32_t *second, const int8_t *x, const int8_t *y, const int8_t *w,
                                 int32_t count, int32_t channels)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    uint32_t e = 0, f = 0, g = 0, h = 0;
    const int8_t *const end = x + count;
    while (x < end) {
        const int32_t u = *x++;
        const int32_t v = *y++;
        a += (uint32_t)(u * w[0]);
        e += (uint32_t)(v * w[0]);
        if (channels == 4) {
            b += (uint32_t)(u * w[1]);
            f += (uint32_t)(v * w[1]);
            c += (uint32_t)(u * w[2]);
            g += (uint32_t)(v * w[2]);
            d += (uint32_t)(u * w[3]);
            h += (uint32_t)(v * w[3]);
        }
        w += channels;
    }
    first[0] = a;
    second[0] = e;
    if (channels == 4) {
        first[1] = b;
        first[2] = c;
        first[3] = d;
        second[1] = f;
        second[2] = g;
        second[3] = h;
    }
}

#endif
