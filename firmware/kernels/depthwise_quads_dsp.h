/* Outputs of a pixel of a depthwise convolution, four channels at a time; the last four may overlap the four before.
 *
 * Weights, per four channels: a word a tap, then constants. These are four starts and four multipliers. If the first
 * multiplier is not negative all are requant_linear.py's, and a start is added to 256 times its sum. Else it is the complement
 * of requant.py's, as the others are not; starts are added to sums, and two words a channel follow: the addend; doublings of the
 * sum in the low byte, and above it the right shift. */
#ifndef HIL_KERNELS_DEPTHWISE_QUADS_DSP_H
#define HIL_KERNELS_DEPTHWISE_QUADS_DSP_H

#include "kernel.h"

/* The assembly reads it in this order. rows, columns: taps inside the image, either both or none. Bytes: x_gap and w_gap from a
 * row's end to the next one's start, w_first from four channels' first word to their first tap, w_after from after the last row to
 * the constants, step from tap to tap of a row. minus_zero: minus the input's zero point, as two int16. */
typedef struct {
    int32_t rows, columns, x_gap, w_gap, w_first, w_after, channels, step, minus_zero;
} depthwise_quads_dsp_run;

/* input: the first tap inside the image */
void depthwise_quads_dsp(const int8_t *input, const int32_t *weights, int8_t *output, const depthwise_quads_dsp_run *run);

#endif
