/* CONV_2D of 3x3 by Winograd's F(4x4, 3x3) and requantization by a line, for the Cortex-M7. */
#ifndef HIL_KERNELS_CONV_WINOGRAD_S8_LINE_DUAL_ISSUE_H
#define HIL_KERNELS_CONV_WINOGRAD_S8_LINE_DUAL_ISSUE_H

#include "conv_winograd_s8.h"
#include "winograd_4x4_line_dual_issue.h"
#include "winograd_4x4_short_line_dual_issue.h"

typedef conv_winograd_s8_shape conv_winograd_s8_line_dual_issue_shape;

HIL_INLINE void conv_winograd_s8_line_dual_issue(const int8_t *input, const int32_t *weights, const int32_t *channels,
                                                 int8_t *output, int32_t *scratch, const conv_winograd_s8_line_dual_issue_shape *s)
{
    conv_winograd_s8(input, weights, channels, output, scratch, s,
                     s->quads % 2 == 0 ? winograd_4x4_line_dual_issue : winograd_4x4_short_line_dual_issue);
}

#endif
