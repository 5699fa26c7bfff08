/* TRANSPOSE_CONV, int8, MVE, by phases: outputs that are a stride apart are a convolution of stride 1 with every stride-th tap of
 * the kernel, from the last to the first. All phases read the same windows of kernel_h by kernel_w, which are as large as the
 * first one's, and have weights of zero where the kernel ends; a row of windows is woven once for all of them.
 *
 * `conv` is that convolution: stride_h 1, no dilation, pad_top kernel_h - 1; packed_step is of a phase, of which those of a row
 * follow one another; its strides but that, its groups and phases, its tile and sizes of the output are not used. The strip has
 * room for all windows of a row, and for what steps of 16 read past the last one, `beyond`. */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_S8_MVE_H
#define HIL_KERNELS_TRANSPOSE_CONV_S8_MVE_H

#include "conv_parts_s8_mve.h"

typedef struct {
    conv_parts_s8_mve_shape conv;
    int32_t out_h, out_w, stride_h, stride_w, top, left; /* as in transpose_conv_portable.h */
} transpose_conv_s8_mve_shape;

void transpose_conv_s8_mve_rows(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                const transpose_conv_s8_mve_shape *s, gemm_s8_mve_function *gemm);

HIL_INLINE void transpose_conv_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                      const transpose_conv_s8_mve_shape *s)
{
    transpose_conv_s8_mve_rows(input, packed, output, strip, s,
                               gemm_s8_mve_choose(s->conv.form, s->conv.steps, s->conv.tail));
}

#endif
