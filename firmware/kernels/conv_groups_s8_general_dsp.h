/* As conv_groups_dsp.h, int8: weights packed as gemm_4x2_general_dsp.h reads them. */
#ifndef HIL_KERNELS_CONV_GROUPS_S8_GENERAL_DSP_H
#define HIL_KERNELS_CONV_GROUPS_S8_GENERAL_DSP_H

#include "conv_groups_dsp.h"
#include "gemm_4x1_general_dsp.h"
#include "gemm_4x2_general_dsp.h"

typedef conv_groups_dsp_shape conv_groups_s8_general_dsp_shape;

HIL_INLINE void conv_groups_s8_general_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                                  const conv_groups_s8_general_dsp_shape *s)
{
    conv_groups_dsp(input, weights, output, scratch, s, gemm_4x2_general_dsp, gemm_4x1_general_dsp);
}

#endif
