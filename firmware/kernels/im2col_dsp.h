/* int8 -> int16 columns for gemm_dsp.h: SXTB16 widens bytes 0 and 2 of a word, SXTB16 ROR #8 bytes 1 and 3.
 *
 * A window is `rows` runs of bytes, each `words` whole words and `tail` bytes (0..3), then a gap up to the next run. Words
 * are widened in place; tails are gathered, across rows, into words of their own, the first byte in the highest place:
 * harness/kernels/gemm.py packs the weights in the same order. Nothing beside the runs is read. Where two pixels are
 * widened together, their words take turns. */
#ifndef HIL_KERNELS_IM2COL_DSP_H
#define HIL_KERNELS_IM2COL_DSP_H

#include "kernel.h"

/* The assembly reads it in this order. gap0 and gap1: of the first and second pixel; step: from the one to the other. */
typedef struct {
    int32_t rows, words, tail, gap0, gap1, step;
} im2col_dsp_runs;

typedef void im2col_pair(int16_t *columns, const int8_t *pixel0, const int8_t *pixel1, const im2col_dsp_runs *runs);

#endif
