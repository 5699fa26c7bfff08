/* CONV_2D, int8, MVE: any kernel, strides, padding and batches; no dilation along a row, no groups.
 *
 * Weights are packed as gemm_s8_mve reads them, taps in the order of the strip (conv_strip_s8_mve.h): column, row,
 * channel. With tile_w 0 every window is a run of bytes of the input already: kernel_h is 1 and there is no padding.
 * Otherwise tile_w output columns at a time go through a strip in scratch: room for (tile_w - 1) * stride_w +
 * kernel_w columns of kernel_h * in_c bytes and for what steps of 16 read past the last window. */
#ifndef HIL_KERNELS_CONV_S8_MVE_H
#define HIL_KERNELS_CONV_S8_MVE_H

#include "conv_strip_s8_mve.h"
#include "gemm_pairs_s8_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, pad_top, pad_left;
    int32_t in_zero, tile_w;
    int32_t x_step, steps, tail, out_c, out_zero, clamp_min, clamp_max, form; /* as in gemm_pairs_s8_mve.h */
} conv_s8_mve_shape;

void conv_s8_mve_rows(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                      const conv_s8_mve_shape *s, gemm_s8_mve_function *gemm);

HIL_INLINE void conv_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                            const conv_s8_mve_shape *s)
{
    conv_s8_mve_rows(input, packed, output, strip, s, gemm_mve_choose(s->form, s->steps, s->tail));
}

#endif
