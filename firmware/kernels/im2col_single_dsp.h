/* The column of one pixel. */
#ifndef HIL_KERNELS_IM2COL_SINGLE_DSP_H
#define HIL_KERNELS_IM2COL_SINGLE_DSP_H

#include "im2col_dsp.h"

void im2col_single_dsp(int16_t *column, const int8_t *pixel, const im2col_dsp_runs *runs);

#endif
