/* As conv_groups_dsp.h, int8: weights packed as gemm_4x2_carry_dual_issue.h reads them. */
#ifndef HIL_KERNELS_CONV_GROUPS_S8_CARRY_DUAL_ISSUE_H
#define HIL_KERNELS_CONV_GROUPS_S8_CARRY_DUAL_ISSUE_H

#include "conv_groups_dsp.h"
#include "gemm_4x1_carry_dual_issue.h"
#include "gemm_4x2_carry_dual_issue.h"

typedef conv_groups_dsp_shape conv_groups_s8_carry_dual_issue_shape;

HIL_INLINE void conv_groups_s8_carry_dual_issue(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                                  const conv_groups_s8_carry_dual_issue_shape *s)
{
    conv_groups_dsp(input, weights, output, scratch, s, gemm_4x2_carry_dual_issue, gemm_4x1_carry_dual_issue);
}

#endif
