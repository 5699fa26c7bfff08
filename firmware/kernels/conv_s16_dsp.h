/* CONV_2D of int16 activations and int8 weights with the DSP extension: four pixels and two output channels at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_CONV_S16_DSP_H
#define HIL_KERNELS_CONV_S16_DSP_H

#include "conv_s16_columns.h"

typedef conv_s16_columns_shape conv_s16_dsp_shape;

/* weights: [channels / 2], each as gemm_2x4_s16_dsp.h wants it; records: [channels / 2] of two biases, two factors; both filled
 * up with zeros. columns: 4 * taps elements of scratch at a word boundary. */
void conv_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *columns, int16_t *output,
                  const conv_s16_dsp_shape *s);

#endif
