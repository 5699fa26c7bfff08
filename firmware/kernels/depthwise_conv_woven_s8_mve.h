/* DEPTHWISE_CONV_2D, int8, MVE: any window, strides, dilations and padding; channel multiplier 1, a multiple of 16 channels.
 *
 * Scratch: a pointer a tap, as many as are a multiple of four, a pixel of padding, and 256 bytes for 16 taps. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_WOVEN_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_WOVEN_S8_MVE_H

#include "depthwise_conv_s8_mve.h"
#include "depthwise_woven_s8_mve.h"

typedef depthwise_conv_s8_mve_shape depthwise_conv_woven_s8_mve_shape;

HIL_INLINE void depthwise_conv_woven_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, void *scratch,
                                            const depthwise_conv_woven_s8_mve_shape *s)
{
    depthwise_conv_s8_mve_run(input, packed, output, (const int8_t **)scratch, s, 4, depthwise_woven_s8_mve);
}

#endif
