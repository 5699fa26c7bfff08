/* Sums, differences and products of two rows of float32, clamped, in vectors of MVE as far as those are exact (quad_f32_mve.h). */
#ifndef HIL_KERNELS_ROW_F32_MVE_H
#define HIL_KERNELS_ROW_F32_MVE_H

#include "kernel.h"

#define HIL_ROW_F32_BLOCK 16 /* elements that are read, and then written, together */

typedef struct {
    float low, high;
    int32_t a_step, b_step; /* bytes from a block to the next; 0 for a block that is the same throughout */
} row_f32_mve_shape;

/* Elements still to do: none, or those from the first block on that scalars must compute. */
typedef int32_t row_f32_mve_function(const float *a, const float *b, float *output, int32_t elements,
                                     const row_f32_mve_shape *s);

row_f32_mve_function row_f32_mve_add, row_f32_mve_sub, row_f32_mve_mul;

#endif
