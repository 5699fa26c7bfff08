/* UNIDIRECTIONAL_SEQUENCE_LSTM, float32: every sum in TensorFlow Lite Micro's order, every operation rounded by itself.
 *
 * As lstm_s8.h: the weights of a unit's four gates lie beside each other, and the hidden state is the row of outputs of the
 * step before. */
#ifndef HIL_KERNELS_LSTM_F32_PORTABLE_H
#define HIL_KERNELS_LSTM_F32_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t batches, steps, in_n, units;
    int32_t x_batch, x_step, y_batch, y_step; /* elements from one to the next */
} lstm_f32_portable_shape;

/* clip bounds the cell's magnitude; 0: not */
void lstm_f32_portable(const float *input, const float *weights, const float *recurrent, const float *biases,
                       float *hidden, float *cell, float *output, float clip, const lstm_f32_portable_shape *s);

#endif
