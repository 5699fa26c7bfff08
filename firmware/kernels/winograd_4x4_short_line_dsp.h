/* Inner kernel of Winograd's F(4x4, 3x3), a multiple of four input channels, requantized by a line (winograd_4x4_dsp_asm.h). */
#ifndef HIL_KERNELS_WINOGRAD_4X4_SHORT_LINE_DSP_H
#define HIL_KERNELS_WINOGRAD_4X4_SHORT_LINE_DSP_H

#include "winograd.h"

winograd_block winograd_4x4_short_line_dsp;

#endif
