/* Columns of two pixels whose windows are up to four runs of 9 bytes: 3 taps of 3 channels. */
#ifndef HIL_KERNELS_IM2COL_9_DSP_H
#define HIL_KERNELS_IM2COL_9_DSP_H

#include "im2col_dsp.h"

im2col_pair im2col_9_dsp;

#endif
