/* LOGISTIC and TANH of int16 by the table of sigmoid16.h. Works in place. */
#ifndef HIL_KERNELS_SIGMOID_S16_PORTABLE_H
#define HIL_KERNELS_SIGMOID_S16_PORTABLE_H

#include "sigmoid16.h"

#define HIL_SIGMOID_LOGISTIC 0
#define HIL_SIGMOID_TANH 1

typedef struct {
    int32_t count, function;
    int32_t multiplier, right; /* x * multiplier / 2^right is the input in units of 2^-14 / 0.75 */
} sigmoid_s16_portable_shape;

/* hil_sigmoid16 of any magnitude, of which the far ones are saturated */
HIL_INLINE int32_t hil_sigmoid_any(const uint16_t *table, int32_t x)
{
    const int32_t far = (int32_t)(HIL_SIGMOID_LAST << 9);
    if (x >= far) {
        return INT16_MAX;
    }
    return x <= -far ? 1 : hil_sigmoid16(table, x);
}

HIL_INLINE void sigmoid_s16_portable(const int16_t *input, const uint16_t *table, int16_t *output,
                                     const sigmoid_s16_portable_shape *s)
{
    const int32_t half = s->right > 0 ? (int32_t)(UINT32_C(1) << (s->right - 1)) : 0;
    for (int32_t i = 0; i < s->count; ++i) {
        const int32_t x = (input[i] * s->multiplier + half) >> s->right;
        output[i] = (int16_t)(s->function == HIL_SIGMOID_TANH ? hil_tanh16(table, x) : hil_sigmoid_any(table, x));
    }
}

#endif
