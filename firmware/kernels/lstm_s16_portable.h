/* UNIDIRECTIONAL_SEQUENCE_LSTM of int16 activations (lstm_s16.h); the weights of a unit's gates lie beside each other. */
#ifndef HIL_KERNELS_LSTM_S16_PORTABLE_H
#define HIL_KERNELS_LSTM_S16_PORTABLE_H

#include "lstm_s16.h"

typedef lstm_s8_shape lstm_s16_portable_shape;

void lstm_s16_portable(const int16_t *input, const int8_t *weights, const int8_t *recurrent, const int64_t *biases,
                       const uint16_t *table, int16_t *hidden, int16_t *cell, int16_t *output,
                       const lstm_s16_portable_shape *s);

#endif
