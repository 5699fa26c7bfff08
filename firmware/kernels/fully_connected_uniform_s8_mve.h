/* FULLY_CONNECTED, int8, MVE, where all outputs share a multiplier and a shift, and saturate: eight outputs of one row at a time.
 *
 * A row's last four vectors of 16 activations stay in registers for all outputs; the very last may be shorter. Packed
 * weights, per block of eight outputs, the even ones of which come before the odd ones: biases (int32, the input's zero
 * point folded in), then per 16 activations 16 weights of each output, zeros beyond a row's end. Where the outputs are no
 * multiple of eight the last block moves back, so that some are computed again. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_UNIFORM_S8_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_UNIFORM_S8_MVE_H

#include "mve.h"

typedef struct {
    int32_t rows, depth, outputs; /* at least eight */
    int32_t multiplier, factor;   /* of both roundings, requant_mve.h */
    int32_t out_zero;
} fully_connected_uniform_s8_mve_shape;

typedef void fully_connected_uniform_s8_mve_function(const int8_t *x, const int32_t *packed, int8_t *output,
                                                     const fully_connected_uniform_s8_mve_shape *s);

/* up to eight vectors a row, or any number, more than four */
fully_connected_uniform_s8_mve_function fully_connected_uniform_s8_mve_short, fully_connected_uniform_s8_mve_far;

/* folds to one function where the shape is literals, and only that one is linked */
HIL_INLINE void fully_connected_uniform_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output,
                                               const fully_connected_uniform_s8_mve_shape *s)
{
    (s->depth <= 128 ? fully_connected_uniform_s8_mve_short : fully_connected_uniform_s8_mve_far)(input, packed, output, s);
}

#endif
