/* Inner kernel of Winograd's F(4x4, 3x3), a multiple of eight input channels, requantized by a line (winograd_4x4_dual_issue_asm.h). */
#ifndef HIL_KERNELS_WINOGRAD_4X4_LINE_DUAL_ISSUE_H
#define HIL_KERNELS_WINOGRAD_4X4_LINE_DUAL_ISSUE_H

#include "winograd.h"

winograd_block winograd_4x4_line_dual_issue;

#endif
