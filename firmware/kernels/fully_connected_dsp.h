/* Fully connected layers by inner kernels of one pixel (gemm_dsp.h): each row of inputs is widened once. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_DSP_H

#include "gemm_dsp.h"
#include "im2col_single_dsp.h"

typedef struct {
    int32_t batches, in_n;
    gemm_dsp_shape gemm;
} fully_connected_dsp_shape;

void fully_connected_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                         const fully_connected_dsp_shape *s, gemm_4x1 *single);

#endif
