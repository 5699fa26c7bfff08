/* CONV_2D, int8, MVE: any kernel, strides, dilation, padding, batches and groups, in dense parts.
 *
 * A part is a group's channels of every `phases`-th output column: their windows take every dilation_w-th column of the
 * input, and woven side by side into a strip (conv_strip_s8_mve.h) they are those of a convolution that is not dilated,
 * `stride_p` columns apart. With g the greatest divisor that stride_w and dilation_w share, phases is dilation_w / g and
 * stride_p is stride_w / g.
 *
 * Weights are packed by group, `packed_step` words each, as the products read them, taps in the order of the strip:
 * column, row, channel. With tile_w 0 windows are read where they lie: they are one run of bytes each, without padding.
 * Otherwise tile_w output columns at a time go through a strip in scratch: room for (tile_w - 1) * stride_p + kernel_w
 * columns of kernel_h * in_c / groups bytes and for what steps of 16 read past the last window, `beyond`. */
#ifndef HIL_KERNELS_CONV_PARTS_S8_MVE_H
#define HIL_KERNELS_CONV_PARTS_S8_MVE_H

#include "conv_strip_s8_mve.h"
#include "gemm_1x8_s8_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero, tile_w, groups, phases, stride_p, packed_step, beyond;
    int32_t x_step, steps, tail, out_c, out_zero, clamp_min, clamp_max, form; /* as in gemm_s8_mve.h; of a group */
} conv_parts_s8_mve_shape;

typedef conv_parts_s8_mve_shape conv_few_s8_mve_shape;

void conv_parts_s8_mve_rows(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                            const conv_parts_s8_mve_shape *s, gemm_s8_mve_function *gemm);

/* two pixels of four output channels at a time */
HIL_INLINE void conv_parts_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                  const conv_parts_s8_mve_shape *s)
{
    conv_parts_s8_mve_rows(input, packed, output, strip, s, gemm_s8_mve_choose(s->form, s->steps, s->tail));
}

#endif
