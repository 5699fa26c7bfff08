/* winograd_4x4_short_line_dual_issue.h */
#include "winograd_4x4_dual_issue_asm.h"

    hil_winograd_block winograd_4x4_short_line_dual_issue, 2, hil_winograd_line
