/* CONV_2D and FULLY_CONNECTED of several rows, int8: carry-packed weights (gemm_4x2_carry_dsp.h), for the Cortex-M7. */
#ifndef HIL_KERNELS_CONV_S8_CARRY_DUAL_ISSUE_H
#define HIL_KERNELS_CONV_S8_CARRY_DUAL_ISSUE_H

#include "conv_dsp.h"
#include "gemm_4x1_carry_dual_issue.h"
#include "gemm_4x2_carry_dual_issue.h"

typedef conv_dsp_shape conv_s8_carry_dual_issue_shape;

HIL_INLINE void conv_s8_carry_dual_issue(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch, const conv_s8_carry_dual_issue_shape *s)
{
    conv_dsp(input, weights, output, scratch, s, gemm_4x2_carry_dual_issue, gemm_4x1_carry_dual_issue, conv_dsp_inner(s));
}

#endif
