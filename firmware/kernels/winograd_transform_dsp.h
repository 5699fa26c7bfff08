/* Transforms of inputs and weights for Winograd's convolutions F(4x4, 3x3), on cores with the DSP extension.
 *
 * All work on pairs of channels, one int16 lane each: channels 0 and 2 of a word, then 1 and 3. The matrices, and why int16
 * lanes hold the results: harness/kernels/winograd.py. */
#ifndef HIL_KERNELS_WINOGRAD_TRANSFORM_DSP_H
#define HIL_KERNELS_WINOGRAD_TRANSFORM_DSP_H

#include "winograd.h"

/* B^T of each column of six rows of `width` pixels, of one word of channels: 12 words a column, six of each pair. `pixel`: bytes
 * from one pixel to the next. Lanes of the results are added up, 65536 * high + low, not yet put beside each other. */
void winograd_columns_dsp(int32_t *columns, const int8_t *rows, int32_t width, int32_t pixel);

/* B^T of the columns' rows, for two tiles a turn: 36 positions, `position` bytes apart, of two words a pair of channels. */
void winograd_rows_dsp(int32_t *tiles, const int32_t *columns, int32_t pairs, int32_t position);

/* G of one output channel: nine taps of `quads` words become 36 positions, 32 * quads bytes apart, of one word a pair of channels
 * beside those of three other output channels. */
void winograd_weights_dsp(int32_t *transformed, const int32_t *weights, int32_t quads);

#endif
