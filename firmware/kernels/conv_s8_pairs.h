/* CONV_2D, int8, any shape: two pixels and four output channels at a time, for cores with registers for it. The zero point
 * is folded into the bias.
 *
 * scratch holds two windows of one group, unless windows are read where they are. */
#ifndef HIL_KERNELS_CONV_S8_PAIRS_H
#define HIL_KERNELS_CONV_S8_PAIRS_H

#include "conv_window_s8.h"

typedef conv_window_s8_shape conv_s8_pairs_shape;

void conv_s8_pairs(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                   int8_t *scratch, const conv_s8_pairs_shape *s);

#endif
