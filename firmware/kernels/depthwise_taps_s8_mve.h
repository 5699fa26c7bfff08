/* One output pixel of a depthwise convolution of any window, int8, MVE: eight channels at a time, tap by tap.
 *
 * Packed, per block of eight channels: in the spread form 8 offsets of their input channels (uint16); 4 biases of
 * even and 4 of odd channels (int32, the input's zero point folded in); per tap 8 weights; left shifts (int8),
 * multipliers (int32) and right shifts (int8, negated), those of even channels before those of odd ones. With
 * ONNX's rounding factors (float32) alone. */
#ifndef HIL_KERNELS_DEPTHWISE_TAPS_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_TAPS_S8_MVE_H

#include "kernel.h"

typedef struct {
    const int8_t *const *taps; /* the input pixel under each tap */
    int32_t count;             /* of taps */
    int32_t channels;          /* of the output */
    int32_t last;              /* first channel of the last block */
    int32_t out_zero, clamp_min, clamp_max;
    int8_t *strip; /* of depthwise_woven_s8_mve: 64 bytes for each of as many words as there are four taps, all initialized up
                      to a multiple of four words */
    int32_t words;
} depthwise_taps_s8_mve_work;

typedef void depthwise_taps_s8_mve_function(const int32_t *packed, int8_t *output,
                                            const depthwise_taps_s8_mve_work *work);

depthwise_taps_s8_mve_function depthwise_taps_s8_mve;        /* channel by channel; 8 and more */
depthwise_taps_s8_mve_function depthwise_taps_s8_mve_spread; /* any number of outputs a channel */
depthwise_taps_s8_mve_function depthwise_taps_s8_mve_float, depthwise_taps_s8_mve_float_spread; /* ONNX's rounding */

#endif
