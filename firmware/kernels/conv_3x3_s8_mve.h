/* CONV_2D, int8, MVE: 3x3 windows of stride 1, not dilated, one group.
 *
 * Tiles of two output rows by four columns (conv_tiles_3x3_s8_mve.h), whose four input rows are woven into a strip in
 * scratch. An odd last row and columns beyond a multiple of four are computed in tiles that move back to fit: out_h is 2
 * at least, out_w 4, and tile_w, output columns of a strip, a multiple of four or out_w.
 *
 * `edges`: words from the packed weights to the biases of tiles whose first row is padding, and, behind them, of those whose
 * last one is; 0 without any: then padding is multiplied like everything else. */
#ifndef HIL_KERNELS_CONV_3X3_S8_MVE_H
#define HIL_KERNELS_CONV_3X3_S8_MVE_H

#include "conv_tiles_3x3_s8_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c, pad_top, pad_left;
    int32_t in_zero, tile_w, clamp_min, clamp_max, general, edges;
} conv_3x3_s8_mve_shape;

void conv_3x3_s8_mve_run(const int8_t *input, const int32_t *packed, int8_t *output, int32_t *strip,
                         const conv_3x3_s8_mve_shape *s, const conv_tiles_3x3_s8_mve_functions *compute);

HIL_INLINE void conv_3x3_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int32_t *strip,
                                const conv_3x3_s8_mve_shape *s)
{
    conv_tiles_3x3_s8_mve_functions compute = conv_tiles_3x3_s8_mve_choose(s->general, s->in_c);
    if (s->edges == 0) {
        compute.upper = compute.lower = compute.inside;
    }
    conv_3x3_s8_mve_run(input, packed, output, strip, s, &compute);
}

#endif
