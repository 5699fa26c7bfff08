/* UNIDIRECTIONAL_SEQUENCE_LSTM, int8 (lstm_s8.h), on Armv8.1-M MVE: four units at a time, gate by gate.
 *
 * Weights of each block of four units, gate by gate, as quad_s8_mve.h wants them; starts likewise, those of the sums over
 * inputs first. Units beyond the last are zero. in_quad and back_quad count bytes of one gate's four rows. */
#ifndef HIL_KERNELS_LSTM_S8_MVE_H
#define HIL_KERNELS_LSTM_S8_MVE_H

#include "lstm_s8.h"

typedef lstm_s8_shape lstm_s8_mve_shape;

void lstm_s8_mve(const int8_t *input, const int8_t *weights, const int8_t *recurrent, const int32_t *starts,
                 const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output, const lstm_s8_mve_shape *s);

#endif
