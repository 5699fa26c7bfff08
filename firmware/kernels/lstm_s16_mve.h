/* UNIDIRECTIONAL_SEQUENCE_LSTM of int16 activations (lstm_s16.h), on Armv8.1-M MVE, where all sums fit 32 bits.
 *
 * As lstm_s8_mve.h; per 8 taps 8 bytes of each of four units, and no starts of the sums over hidden values. Factors of sums
 * are single multipliers (lstm_s16_dsp.h). */
#ifndef HIL_KERNELS_LSTM_S16_MVE_H
#define HIL_KERNELS_LSTM_S16_MVE_H

#include "lstm_s16.h"

typedef lstm_s8_shape lstm_s16_mve_shape;

void lstm_s16_mve(const int16_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *biases,
                  const uint16_t *table, int16_t *hidden, int16_t *cell, int16_t *output, const lstm_s16_mve_shape *s);

#endif
