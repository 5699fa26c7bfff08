/* winograd_4x4_line_dsp.h */
#include "winograd_4x4_dsp_asm.h"

    hil_winograd_block winograd_4x4_line_dsp, 4, hil_winograd_line
