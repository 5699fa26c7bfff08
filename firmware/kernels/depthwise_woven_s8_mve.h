/* One output pixel of a depthwise convolution of any window, int8, MVE: 16 channels at a time. Four taps of 16 channels are
 * woven to words of a channel, four such words are fetched by one gather, and VMLADAVA sums 16 taps. Of layers that are
 * requantized by factors (requant_mve.h).
 *
 * Packed, per block of 16 channels: 8 biases of the even ones, in the order 0, 4, 8, 12, 2, 6, 10, 14 (int32, the input's zero
 * point folded in); per 16 taps the weights of each, zero beyond the last tap; the same of the odd ones, in the order 1, 5, 9,
 * 13, 3, 7, 11, 15; then four multipliers and four factors, four times: of 0, 4, 8, 12, of 2, 6, ..., of 1, 5, ... and of 3, 7, ... */
#ifndef HIL_KERNELS_DEPTHWISE_WOVEN_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_WOVEN_S8_MVE_H

#include "depthwise_taps_s8_mve.h"

depthwise_taps_s8_mve_function depthwise_woven_s8_mve;

#endif
