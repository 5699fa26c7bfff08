/* CONV_2D, int8, any shape: one pixel and four output channels at a time. The zero point is folded into the bias.
 *
 * scratch holds one window of one group, unless windows are read where they are. */
#ifndef HIL_KERNELS_CONV_S8_PORTABLE_H
#define HIL_KERNELS_CONV_S8_PORTABLE_H

#include "conv_window_s8.h"

typedef conv_window_s8_shape conv_s8_portable_shape;

void conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                      int8_t *scratch, const conv_s8_portable_shape *s);

#endif
