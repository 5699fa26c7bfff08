/* gemm_4x1_line_dsp.h, scheduled for the two pipelines of the Cortex-M7. */
#ifndef HIL_KERNELS_GEMM_4X1_LINE_DUAL_ISSUE_H
#define HIL_KERNELS_GEMM_4X1_LINE_DUAL_ISSUE_H

#include "gemm_dsp.h"

gemm_4x1 gemm_4x1_line_dual_issue;

#endif
