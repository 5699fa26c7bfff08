/* Columns of two pixels whose runs overlap: what they share is widened once. Runs are of 16 bytes and more, and they, the
 * step from pixel to pixel and the pixels' places are multiples of 16, of 16 and of 4 bytes. */
#ifndef HIL_KERNELS_IM2COL_OVERLAP_DSP_H
#define HIL_KERNELS_IM2COL_OVERLAP_DSP_H

#include "im2col_dsp.h"

im2col_pair im2col_overlap_dsp;

#endif
