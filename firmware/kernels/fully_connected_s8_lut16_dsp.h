/* FULLY_CONNECTED, int8: weights of 16 values, looked up in pairs (gemm_4x1_lut16_dsp.h), for all DSP cores. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_LUT16_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_LUT16_DSP_H

#include "fully_connected_dsp.h"
#include "gemm_4x1_lut16_dsp.h"

typedef fully_connected_dsp_shape fully_connected_s8_lut16_dsp_shape;

void fully_connected_s8_lut16_dsp(const int8_t *input, const int32_t *weights, const int8_t *table, int8_t *output,
                                  int32_t *scratch, const fully_connected_s8_lut16_dsp_shape *s);

#endif
