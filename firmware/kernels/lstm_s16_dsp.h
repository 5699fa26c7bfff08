/* UNIDIRECTIONAL_SEQUENCE_LSTM of int16 activations (lstm_s16.h) with the DSP extension, where all sums fit 30 bits.
 *
 * Weights as quad_s8_dsp.h has them, but of taps in their order. Factors of sums: the upper bits r of a multiplier and its
 * shift are one number, r * 2^(31 - shift), whose rounded high product is TensorFlow Lite Micro's. The others: a right shift,
 * and what rounds it (harness/kernels/requant.py). */
#ifndef HIL_KERNELS_LSTM_S16_DSP_H
#define HIL_KERNELS_LSTM_S16_DSP_H

#include "lstm_s16.h"

typedef lstm_s8_shape lstm_s16_dsp_shape;

void lstm_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *recurrent, const int32_t *biases,
                  const uint16_t *table, int16_t *hidden, int16_t *cell, int16_t *output, const lstm_s16_dsp_shape *s);

#endif
