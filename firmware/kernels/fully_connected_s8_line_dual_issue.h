/* FULLY_CONNECTED, int8: layers with a fused RELU (gemm_4x1_line_dsp.h), for the Cortex-M7. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_LINE_DUAL_ISSUE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_LINE_DUAL_ISSUE_H

#include "fully_connected_dsp.h"
#include "gemm_4x1_line_dual_issue.h"

typedef fully_connected_dsp_shape fully_connected_s8_line_dual_issue_shape;

HIL_INLINE void fully_connected_s8_line_dual_issue(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                    const fully_connected_s8_line_dual_issue_shape *s)
{
    fully_connected_dsp(input, weights, output, scratch, s, gemm_4x1_line_dual_issue);
}

#endif
