/* SVDF, int8 with a state of int16 (svdf_s8.h); the weights of four filters lie beside each other. */
#ifndef HIL_KERNELS_SVDF_S8_S16_PORTABLE_H
#define HIL_KERNELS_SVDF_S8_S16_PORTABLE_H

#include "svdf_s8.h"

typedef svdf_s8_shape svdf_s8_s16_portable_shape;

void svdf_s8_s16_portable(const int8_t *input, const int8_t *weights, const int32_t *starts, const int16_t *time,
                          const int32_t *biases, int16_t *state, int8_t *output, const svdf_s8_s16_portable_shape *s);

#endif
