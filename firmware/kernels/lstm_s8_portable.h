/* UNIDIRECTIONAL_SEQUENCE_LSTM, int8 (lstm_s8.h); the weights of a unit's gates lie beside each other. */
#ifndef HIL_KERNELS_LSTM_S8_PORTABLE_H
#define HIL_KERNELS_LSTM_S8_PORTABLE_H

#include "lstm_s8.h"

typedef lstm_s8_shape lstm_s8_portable_shape;

void lstm_s8_portable(const int8_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *starts,
                      const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output,
                      const lstm_s8_portable_shape *s);

#endif
