/* CONV_2D of 3x3, stride 1, one group, int8, by Winograd's F(4x4, 3x3) in exact integers (harness/kernels/winograd.py). */
#ifndef HIL_KERNELS_CONV_WINOGRAD_S8_H
#define HIL_KERNELS_CONV_WINOGRAD_S8_H

#include "winograd.h"

/* Outputs are computed in tiles of 4x4, two beside each other are a pair, and `pairs` of them a strip; `across`: strips beside each
 * other. `strips`: how many strips of inputs are transformed at once, and `chunk`: weights of how many output channels, all or a
 * multiple of four. quads: input channels in fours, rounded up. pad: the input's zero point in all four bytes. */
typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c, pad_top, pad_left;
    int32_t pad, quads, pairs, across, strips, chunk;
} conv_winograd_s8_shape;

/* weights: [output channel][row][column][4 * quads], output channels rounded up to fours; channels: HIL_WINOGRAD_CHANNEL_WORDS each.
 * scratch: transformed weights, transformed inputs, six rows of a strip, their columns. */
void conv_winograd_s8(const int8_t *input, const int32_t *weights, const int32_t *channels, int8_t *output, int32_t *scratch,
                      const conv_winograd_s8_shape *s, winograd_block *block);

#endif
