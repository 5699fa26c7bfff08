/* Columns of two pixels, word by word in turn. Pointers need no alignment but the columns'. */
#ifndef HIL_KERNELS_IM2COL_PAIR_DSP_H
#define HIL_KERNELS_IM2COL_PAIR_DSP_H

#include "im2col_dsp.h"

void im2col_pair_dsp(int16_t *columns, const int8_t *pixel0, const int8_t *pixel1, const im2col_dsp_runs *runs);

#endif
