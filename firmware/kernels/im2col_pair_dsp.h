/* Columns of two pixels anywhere. */
#ifndef HIL_KERNELS_IM2COL_PAIR_DSP_H
#define HIL_KERNELS_IM2COL_PAIR_DSP_H

#include "im2col_dsp.h"

im2col_pair im2col_pair_dsp;

#endif
