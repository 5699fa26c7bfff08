/* gemm_4x2_carry_dsp.h, scheduled for the two pipelines of the Cortex-M7. */
#ifndef HIL_KERNELS_GEMM_4X2_CARRY_DUAL_ISSUE_H
#define HIL_KERNELS_GEMM_4X2_CARRY_DUAL_ISSUE_H

#include "gemm_dsp.h"

gemm_4x2 gemm_4x2_carry_dual_issue;

#endif
