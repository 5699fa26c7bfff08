/* Convolution as conv_dsp.h, of weights of 16 values: indices of four bits become words for the inner kernels in scratch,
 * once for all pixels, as many channels at a time as the shape's chunk.
 *
 * A packed block of four channels has the words before its weights (head) and after them (tail) as they are, and between
 * them a byte for every lane: the even channel's index, and 16 times the odd one's. What every byte makes is worked out in
 * scratch first: of channels 0 and 1 and, where channels have tables of their own, of 2 and 3. */
#ifndef HIL_KERNELS_CONV_LUT16_DSP_H
#define HIL_KERNELS_CONV_LUT16_DSP_H

#include "conv_chunk_dsp.h"

/* table_step: from one channel's 16 values to the next one's, 0 where all share them. low_mask: what of an even weight
 * counts, -1 or, where weights are bytes of a word, 255. */
typedef struct {
    conv_dsp_shape conv;
    int32_t head, tail, table_step, low_mask;
} conv_lut16_dsp_shape;

void conv_lut16_dsp(const int8_t *input, const int32_t *packed, const int8_t *table, int8_t *output, int32_t *scratch,
                    const conv_lut16_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single, im2col_pair *inner);

#endif
