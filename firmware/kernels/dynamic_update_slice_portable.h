/* DYNAMIC_UPDATE_SLICE: a copy with a slice of it replaced. The start is moved to where all of the slice is inside. */
#ifndef HIL_KERNELS_DYNAMIC_UPDATE_SLICE_PORTABLE_H
#define HIL_KERNELS_DYNAMIC_UPDATE_SLICE_PORTABLE_H

#include <string.h>

#include "kernel.h"

typedef struct {
    int32_t n0, n1, n2, n3, n4, n5; /* dimensions; 1 before the first */
    int32_t u0, u1, u2, u3, u4, u5; /* of the slice */
    int32_t dimensions;
    int32_t size; /* bytes of an element */
    int32_t wide; /* whether starts are int64 */
} dynamic_update_slice_portable_shape;

/* the start along a dimension of n with u of the slice; `place` counts the dimensions that are there */
HIL_INLINE int32_t hil_update_start(const uint8_t *starts, int32_t place, int32_t n, int32_t u, int32_t wide)
{
    int64_t start;
    if (place < 0) {
        return 0;
    }
    if (wide) {
        memcpy(&start, starts + 8 * place, 8);
    } else {
        int32_t narrow;
        memcpy(&narrow, starts + 4 * place, 4);
        start = narrow;
    }
    return start < 0 ? 0 : start > n - u ? n - u : (int32_t)start;
}

HIL_INLINE void dynamic_update_slice_portable(const uint8_t *input, const uint8_t *update, const uint8_t *starts,
                                              uint8_t *output, const dynamic_update_slice_portable_shape *s)
{
    const int32_t n[6] = {s->n0, s->n1, s->n2, s->n3, s->n4, s->n5};
    const int32_t u[6] = {s->u0, s->u1, s->u2, s->u3, s->u4, s->u5};
    int32_t stride[6], first = 0, step = s->size;
    for (int32_t i = 5; i >= 0; --i) {
        stride[i] = step;
        first += hil_update_start(starts, i - (6 - s->dimensions), n[i], u[i], s->wide) * step;
        step *= n[i];
    }
    memcpy(output, input, (size_t)step);
    const int32_t run = u[5] * s->size;
    for (int32_t a = 0; a < u[0]; ++a) {
        for (int32_t b = 0; b < u[1]; ++b) {
            for (int32_t c = 0; c < u[2]; ++c) {
                for (int32_t d = 0; d < u[3]; ++d) {
                    uint8_t *rows = output + first + a * stride[0] + b * stride[1] + c * stride[2] + d * stride[3];
                    for (int32_t e = 0; e < u[4]; ++e) {
                        memcpy(rows + e * stride[4], update, (size_t)run);
                        update += run;
                    }
                }
            }
        }
    }
}

#endif
