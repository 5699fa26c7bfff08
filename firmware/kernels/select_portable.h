/* One of two operands by a condition, with broadcasting: SELECT_V2. */
#ifndef HIL_KERNELS_SELECT_PORTABLE_H
#define HIL_KERNELS_SELECT_PORTABLE_H

#include <string.h>

#include "kernel.h"

typedef struct {
    int32_t bytes;              /* of an element */
    int32_t n0, n1, n2, n3, n4; /* iterations of each loop, the outermost first */
    int32_t c0, c1, c2, c3, c4; /* steps of the condition, of what is taken where it holds, and where not, in elements */
    int32_t a0, a1, a2, a3, a4;
    int32_t b0, b1, b2, b3, b4;
} select_portable_shape;

HIL_INLINE void select_portable(const uint8_t *condition, const uint8_t *a, const uint8_t *b, uint8_t *output,
                                const select_portable_shape *s)
{
    for (int32_t i0 = 0; i0 < s->n0; ++i0) {
        for (int32_t i1 = 0; i1 < s->n1; ++i1) {
            for (int32_t i2 = 0; i2 < s->n2; ++i2) {
                for (int32_t i3 = 0; i3 < s->n3; ++i3) {
                    for (int32_t i4 = 0; i4 < s->n4; ++i4) {
                        const int32_t c = i0 * s->c0 + i1 * s->c1 + i2 * s->c2 + i3 * s->c3 + i4 * s->c4;
                        const int32_t x = i0 * s->a0 + i1 * s->a1 + i2 * s->a2 + i3 * s->a3 + i4 * s->a4;
                        const int32_t y = i0 * s->b0 + i1 * s->b1 + i2 * s->b2 + i3 * s->b3 + i4 * s->b4;
                        memcpy(output, condition[c] != 0 ? a + x * s->bytes : b + y * s->bytes, (size_t)s->bytes);
                        output += s->bytes;
                    }
                }
            }
        }
    }
}

#endif
