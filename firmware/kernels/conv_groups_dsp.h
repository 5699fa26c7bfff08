/* Convolutions in groups, and depthwise ones of several output channels an input channel, with the inner kernels of two
 * pixels (gemm_dsp.h): any window, stride, dilation and padding.
 *
 * All windows of a pixel are gathered at once, a group's beside each other, then widened and multiplied group by group. A
 * group's weights are packed like a layer's of their own, group_words words. */
#ifndef HIL_KERNELS_CONV_GROUPS_DSP_H
#define HIL_KERNELS_CONV_GROUPS_DSP_H

#include "gemm_dsp.h"
#include "im2col_pair_dsp.h"
#include "im2col_single_dsp.h"

/* From so many groups of one channel on a tap of all groups is copied at a time, and a row of each group's taps otherwise. */
#define HIL_CONV_GROUPS_MANY 8

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero, count, depth; /* of groups, of a group's input channels */
    int32_t group_words, column_bytes, window_bytes; /* window_bytes: of a group's window, in whole words */
    gemm_dsp_shape gemm;                             /* of a group */
} conv_groups_dsp_shape;

void conv_groups_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                     const conv_groups_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single);

#endif
