/* DEPTHWISE_CONV_2D, int8, multiplier 1, any kernel, stride, dilation and padding: four channels of a pixel at a time. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S8_DSP_H
#define HIL_KERNELS_DEPTHWISE_CONV_S8_DSP_H

#include "kernel.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t minus_zero; /* minus the input's zero point, as two int16 */
} depthwise_conv_s8_dsp_shape;

/* packed: per four channels the taps, a word each, and the constants of depthwise_quads_dsp.h */
void depthwise_conv_s8_dsp(const int8_t *input, const int32_t *packed, int8_t *output,
                           const depthwise_conv_s8_dsp_shape *s);

#endif
