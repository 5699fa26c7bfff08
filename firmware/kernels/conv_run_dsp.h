/* A run of a window with its padding, for conv_dsp.c: small, as it shares small instruction caches with the inner kernels,
 * and free of memcpy and memset, which are slow in small libraries. */
#ifndef HIL_KERNELS_CONV_RUN_DSP_H
#define HIL_KERNELS_CONV_RUN_DSP_H

#include "kernel.h"

/* to: `left` bytes of zeros' lowest byte, `inside` bytes of `from`, `right` more of zeros; returns the end. zeros has the same
 * value in all four bytes. */
int8_t *conv_run_dsp(int8_t *to, const int8_t *from, int32_t left, int32_t inside, int32_t right, uint32_t zeros);

#endif
