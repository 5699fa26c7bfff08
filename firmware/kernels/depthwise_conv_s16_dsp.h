/* DEPTHWISE_CONV_2D of int16 activations and int8 weights with the DSP extension: four channels at a time, which are a
 * multiple of four; one filter a channel.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S16_DSP_H
#define HIL_KERNELS_DEPTHWISE_CONV_S16_DSP_H

#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w;
    int32_t dilation_h, dilation_w, pad_top, pad_left;
    int32_t clamp_min, clamp_max;
} depthwise_conv_s16_dsp_shape;

/* weights: [channels / 4, row, column], a word of channels 0, 2, 1 and 3; records: [channels / 4] of four biases, four factors */
void depthwise_conv_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *output,
                            const depthwise_conv_s16_dsp_shape *s);

#endif
