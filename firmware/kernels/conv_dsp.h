/* Convolution by im2col and inner kernels of two pixels (gemm_dsp.h): any window, stride, dilation and padding; one group. */
#ifndef HIL_KERNELS_CONV_DSP_H
#define HIL_KERNELS_CONV_DSP_H

#include "conv_chunk_dsp.h"
#include "copy_words_dsp.h"

void conv_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch, const conv_dsp_shape *s,
              gemm_4x2 *pair, gemm_4x1 *single, im2col_pair *inner);

#endif
