/* Inner kernel of Winograd's F(4x4, 3x3), a multiple of four input channels (winograd_4x4_dsp_asm.h). */
#ifndef HIL_KERNELS_WINOGRAD_4X4_SHORT_DSP_H
#define HIL_KERNELS_WINOGRAD_4X4_SHORT_DSP_H

#include "winograd.h"

winograd_block winograd_4x4_short_dsp;

#endif
