/* CONV_2D and FULLY_CONNECTED, int8: weights of 16 values (conv_lut16_dsp.h), for the Cortex-M7. */
#ifndef HIL_KERNELS_CONV_S8_LUT16_DUAL_ISSUE_H
#define HIL_KERNELS_CONV_S8_LUT16_DUAL_ISSUE_H

#include "conv_lut16_dsp.h"
#include "gemm_4x1_carry_dual_issue.h"
#include "gemm_4x1_line_dual_issue.h"
#include "gemm_4x1_plain_dsp.h"
#include "gemm_4x2_carry_dual_issue.h"
#include "gemm_4x2_line_dual_issue.h"
#include "gemm_4x2_plain_dsp.h"

typedef conv_lut16_dsp_shape conv_s8_lut16_dual_issue_shape;

/* the form of the unpacked weights shows in the shape: a literal, so that only its inner kernels are linked */
HIL_INLINE void conv_s8_lut16_dual_issue(const int8_t *input, const int32_t *packed, const int8_t *table, int8_t *output,
                                 int32_t *scratch, const conv_s8_lut16_dual_issue_shape *s)
{
    im2col_pair *const inner = conv_dsp_inner(&s->conv);
    if (s->head == 2) {
        conv_lut16_dsp(input, packed, table, output, scratch, s, gemm_4x2_line_dual_issue, gemm_4x1_line_dual_issue, inner);
    } else if (s->low_mask == -1) {
        conv_lut16_dsp(input, packed, table, output, scratch, s, gemm_4x2_carry_dual_issue, gemm_4x1_carry_dual_issue,
                       inner);
    } else {
        conv_lut16_dsp(input, packed, table, output, scratch, s, gemm_4x2_plain_dsp, gemm_4x1_plain_dsp, inner);
    }
}

#endif
