/* SVDF, int8 with a state of int8 (svdf_s8.h), with weights as quad_s8_dsp.h wants them. */
#ifndef HIL_KERNELS_SVDF_S8_DSP_H
#define HIL_KERNELS_SVDF_S8_DSP_H

#include "svdf_s8.h"

typedef svdf_s8_shape svdf_s8_dsp_shape;

void svdf_s8_dsp(const int8_t *input, const int32_t *weights, const int32_t *starts, const int8_t *time,
                 const int32_t *biases, int8_t *state, int8_t *output, const svdf_s8_dsp_shape *s);

#endif
