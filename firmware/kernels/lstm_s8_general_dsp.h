/* UNIDIRECTIONAL_SEQUENCE_LSTM, int8 (lstm_s8.h), with weights as quad_s8_dsp.h wants them and any factors. */
#ifndef HIL_KERNELS_LSTM_S8_GENERAL_DSP_H
#define HIL_KERNELS_LSTM_S8_GENERAL_DSP_H

#include "lstm_s8.h"

typedef lstm_s8_shape lstm_s8_general_dsp_shape;

void lstm_s8_general_dsp(const int8_t *input, const int32_t *weights, const int32_t *recurrent, const int32_t *starts,
                 const uint16_t *table, int8_t *hidden, int16_t *cell, int8_t *output,
                 const lstm_s8_general_dsp_shape *s);

#endif
